import { expect, test } from "vitest";
import { withSource, withTemplate } from "../../../../scripts/lab/front/launch-template.ts";

const data = {
  ImageId: "ami-1",
  UserData: 'a "b"\n',
  MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1 },
  NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: "subnet-1" }],
  TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "a", Value: "b" }] }],
};

test("RunInstances uses the parameters of the launch template that the call does not set", () => {
  const form = withTemplate(new URLSearchParams("Action=RunInstances&ImageId=ami-2"), data);
  expect(Object.fromEntries(form)).toEqual({
    Action: "RunInstances",
    ImageId: "ami-2",
    UserData: 'a "b"\n',
    "MetadataOptions.HttpTokens": "required",
    "MetadataOptions.HttpPutResponseHopLimit": "1",
    "NetworkInterface.1.DeviceIndex": "0",
    "NetworkInterface.1.SubnetId": "subnet-1",
  });
});

test("a version of a launch template uses the parameters of its source that the call does not set", () => {
  const form = new URLSearchParams({ SourceVersion: "1", "LaunchTemplateData.ImageId": "ami-2" });
  const merged = Object.fromEntries(withSource(form, data));
  expect(merged).toMatchObject({
    "LaunchTemplateData.ImageId": "ami-2",
    "LaunchTemplateData.UserData": 'a "b"\n',
    "LaunchTemplateData.TagSpecification.1.Tag.1.Key": "a",
  });
  expect(merged).not.toHaveProperty("SourceVersion");
});
