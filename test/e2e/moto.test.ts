import {
  CopyImageCommand,
  CreateImageCommand,
  CreateImageUsageReportCommand,
  CreateLaunchTemplateCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeImageUsageReportEntriesCommand,
  DescribeImageUsageReportsCommand,
  DescribeSnapshotsCommand,
  DisableImageCommand,
  DisableImageDeregistrationProtectionCommand,
  EC2Client,
  EnableImageDeprecationCommand,
  EnableImageDeregistrationProtectionCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  RunInstancesCommand,
  type Image,
} from "@aws-sdk/client-ec2";
import { CreateKeyCommand, DisableKeyCommand, KMSClient, PutKeyPolicyCommand } from "@aws-sdk/client-kms";
import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accountHeader, secondAccountId, secondRegion } from "../../scripts/lab/addresses.ts";
import { TestMoto } from "./moto-server.ts";

let moto: TestMoto;
let ec2: EC2Client;
let ec2West: EC2Client;
let ec2Other: EC2Client;
let kmsWest: KMSClient;
let ssmWest: SSMClient;
let key = "";
let imageId = "";

beforeAll(async () => {
  moto = await TestMoto.start();
  ec2 = new EC2Client(moto.settings("us-east-1"));
  ec2West = new EC2Client(moto.settings(secondRegion));
  ec2Other = new EC2Client(moto.settings(secondRegion));
  ec2Other.middlewareStack.add(
    (next) => async (call) => {
      (call.request as { headers: Record<string, string> }).headers[accountHeader] = secondAccountId;
      return await next(call);
    },
    { step: "build" },
  );
  kmsWest = new KMSClient(moto.settings(secondRegion));
  ssmWest = new SSMClient(moto.settings(secondRegion));
  key = (await kmsWest.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? "";
  imageId = await bake();
});
afterAll(async () => {
  await moto.stop();
});

/** An image as Packer creates it: from an instance with an encrypted root volume. */
async function bake(): Promise<string> {
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ImageId: "ami-00000000000000001",
      MinCount: 1,
      MaxCount: 1,
      BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeSize: 8, Encrypted: true } }],
    }),
  );
  const tags = (ResourceType: "image" | "snapshot") => ({
    ResourceType,
    Tags: [{ Key: "kind", Value: ResourceType }],
  });
  const { ImageId = "" } = await ec2.send(
    new CreateImageCommand({
      InstanceId: Instances?.[0]?.InstanceId,
      Name: "baked",
      TagSpecifications: [tags("image"), tags("snapshot")],
    }),
  );
  return ImageId;
}

const describeOne = async (client: EC2Client, id: string): Promise<Image> =>
  (await client.send(new DescribeImagesCommand({ ImageIds: [id] }))).Images?.[0] ?? {};
const snapshotOf = async (client: EC2Client, id: string) => {
  const SnapshotIds = [(await describeOne(client, id)).BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ""];
  return (await client.send(new DescribeSnapshotsCommand({ SnapshotIds }))).Snapshots?.[0];
};

async function copy(KmsKeyId = key): Promise<string> {
  const { ImageId = "" } = await ec2West.send(
    new CopyImageCommand({
      ...{ Name: "copy", SourceImageId: imageId, SourceRegion: "us-east-1", KmsKeyId, Encrypted: true },
      CopyImageTags: true,
      TagSpecifications: [{ ResourceType: "snapshot", Tags: [{ Key: "kind", Value: "copied" }] }],
    }),
  );
  await expect
    .poll(async () => await describeOne(ec2West, ImageId).catch(() => undefined), { timeout: 5_000 })
    .toMatchObject({ State: expect.stringMatching(/available|failed/) as string });
  return ImageId;
}

test("an image of an encrypted volume is encrypted with the default key, and its tags differ from its snapshot's", async () => {
  expect(await describeOne(ec2, imageId)).toMatchObject({
    State: "available",
    ImdsSupport: "v2.0",
    Tags: [{ Key: "kind", Value: "image" }],
  });
  expect(await snapshotOf(ec2, imageId)).toMatchObject({
    Encrypted: true,
    KmsKeyId: expect.stringContaining("arn:aws:kms:us-east-1:") as string,
    Tags: [{ Key: "kind", Value: "snapshot" }],
  });
});

test("a copy appears later, is pending, and has the key and the tags of the call", async () => {
  const { ImageId = "" } = await ec2West.send(
    new CopyImageCommand({
      ...{ Name: "copy", SourceImageId: imageId, SourceRegion: "us-east-1" },
    }),
  );
  await expect(describeOne(ec2West, ImageId)).rejects.toThrow(/does not exist/);
  await expect
    .poll(async () => (await describeOne(ec2West, ImageId).catch(() => ({ State: "" }))).State)
    .toBe("pending");
  const copyId = await copy();
  expect(await describeOne(ec2West, copyId)).toMatchObject({
    State: "available",
    ImdsSupport: "v2.0",
    SourceImageId: imageId,
    SourceImageRegion: "us-east-1",
    Tags: [{ Key: "kind", Value: "image" }],
  });
  expect(await snapshotOf(ec2West, copyId)).toMatchObject({
    KmsKeyId: key,
    Tags: [{ Key: "kind", Value: "copied" }],
  });
});

test.each(["a key of another region", "a key that is disabled"])(
  "a copy with %s fails later, and says so in its state reason",
  async (name) => {
    const { KeyId, Arn: disabled = "" } = (await kmsWest.send(new CreateKeyCommand({}))).KeyMetadata ?? {};
    await kmsWest.send(new DisableKeyCommand({ KeyId }));
    const id = await copy(name.includes("region") ? key.replace(secondRegion, "us-east-1") : disabled);
    expect(await describeOne(ec2West, id)).toMatchObject({
      State: "failed",
      StateReason: { Message: expect.stringMatching(/^Given key ID is not accessible/) as string },
    });
  },
);

test("an image is visible to another account, without its tags, once it is shared", async () => {
  const id = await copy();
  await expect(describeOne(ec2Other, id)).rejects.toThrow(/does not exist/);
  const permission = { LaunchPermission: { Add: [{ UserId: secondAccountId }] } };
  await ec2West.send(new ModifyImageAttributeCommand({ ImageId: id, ...permission }));
  const seen = await describeOne(ec2Other, id);
  expect(seen).toMatchObject({ ImageId: id, OwnerId: "123456789012" });
  expect(seen.Tags ?? []).toEqual([]);
  await expect(
    ec2Other.send(new ModifyImageAttributeCommand({ ImageId: id, ...permission })),
  ).rejects.toThrow(/Not authorized/);
  // Without a permission on the key, the instance ends at once.
  const run = async () => {
    const { Instances } = await ec2Other.send(
      new RunInstancesCommand({ ImageId: id, MinCount: 1, MaxCount: 1 }),
    );
    return Instances?.[0]?.StateReason?.Code;
  };
  expect(await run()).toBe("Client.InternalError");
  const allow = (account: string) => ({
    Effect: "Allow",
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: "kms:*",
    Resource: "*",
  });
  const Policy = JSON.stringify({ Statement: ["123456789012", secondAccountId].map(allow) });
  await kmsWest.send(new PutKeyPolicyCommand({ KeyId: key, PolicyName: "default", Policy }));
  expect(await run()).not.toBe("Client.InternalError");
});

test("an image or a snapshot with the default key cannot be shared", async () => {
  await expect(
    ec2.send(
      new ModifyImageAttributeCommand({
        ImageId: imageId,
        LaunchPermission: { Add: [{ UserId: secondAccountId }] },
      }),
    ),
  ).rejects.toThrow(/AWS Managed CMK/);
  await expect(
    ec2.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: (await snapshotOf(ec2, imageId))?.SnapshotId,
        Attribute: "createVolumePermission",
        OperationType: "add",
        UserIds: [secondAccountId],
      }),
    ),
  ).rejects.toThrow(/default key/);
});

test("deprecation is rounded to minutes, and a date in the past is refused", async () => {
  await ec2.send(
    new EnableImageDeprecationCommand({ ImageId: imageId, DeprecateAt: new Date("2030-01-01T00:00:40Z") }),
  );
  expect(await describeOne(ec2, imageId)).toMatchObject({ DeprecationTime: "2030-01-01T00:01:00.000Z" });
  await expect(
    ec2.send(new EnableImageDeprecationCommand({ ImageId: imageId, DeprecateAt: new Date("2020-01-01") })),
  ).rejects.toThrow(/2020-01-01/);
});

test("a protected image is not deregistered, and a cooldown lasts a day", async () => {
  const id = await copy();
  const protect = async (WithCooldown: boolean) =>
    await ec2West.send(new EnableImageDeregistrationProtectionCommand({ ImageId: id, WithCooldown }));
  const unprotect = async () =>
    await ec2West.send(new DisableImageDeregistrationProtectionCommand({ ImageId: id }));
  const deregister = async () => await ec2West.send(new DeregisterImageCommand({ ImageId: id }));
  await protect(true);
  expect(await describeOne(ec2West, id)).toMatchObject({ DeregistrationProtection: "enabled-with-cooldown" });
  await unprotect();
  await expect(deregister()).rejects.toThrow(/disabled-after-/);
  await protect(false);
  await expect(deregister()).rejects.toThrow(/enabled-without-cooldown/);
  await unprotect();
  await deregister();
});

test("a disabled image loses its launch permissions", async () => {
  const id = await copy();
  await ec2West.send(
    new ModifyImageAttributeCommand({
      ImageId: id,
      LaunchPermission: { Add: [{ UserId: secondAccountId }] },
    }),
  );
  await ec2West.send(new DisableImageCommand({ ImageId: id }));
  expect(await describeOne(ec2West, id)).toMatchObject({ State: "disabled" });
  const { LaunchPermissions } = await ec2West.send(
    new DescribeImageAttributeCommand({ ImageId: id, Attribute: "launchPermission" }),
  );
  expect(LaunchPermissions ?? []).toEqual([]);
});

test("a usage report counts the instances and the launch templates of other accounts", async () => {
  const id = await copy();
  await ec2Other.send(new RunInstancesCommand({ ImageId: id, MinCount: 2, MaxCount: 2 }));
  await ec2Other.send(
    new CreateLaunchTemplateCommand({ LaunchTemplateName: "one", LaunchTemplateData: { ImageId: id } }),
  );
  const { ReportId = "" } = await ec2West.send(
    new CreateImageUsageReportCommand({
      ImageId: id,
      ResourceTypes: [{ ResourceType: "ec2:Instance" }, { ResourceType: "ec2:LaunchTemplate" }],
    }),
  );
  const report = async () =>
    (await ec2West.send(new DescribeImageUsageReportsCommand({ ReportIds: [ReportId] })))
      .ImageUsageReports?.[0]?.State;
  expect(await report()).toBe("pending");
  await expect.poll(report).toBe("available");
  const { ImageUsageReportEntries = [] } = await ec2West.send(
    new DescribeImageUsageReportEntriesCommand({ ReportIds: [ReportId] }),
  );
  expect(
    ImageUsageReportEntries.map(({ AccountId, ResourceType, UsageCount }) => [
      AccountId,
      ResourceType,
      UsageCount,
    ]),
  ).toEqual([
    [secondAccountId, "ec2:Instance", 2],
    [secondAccountId, "ec2:LaunchTemplate", 1],
  ]);
});

test("a parameter with an image id appears after its validation, and an invalid one never does", async () => {
  const put = async (Name: string, Value: string, Overwrite = false) =>
    await ssmWest.send(
      new PutParameterCommand({ Name, Value, Type: "String", DataType: "aws:ec2:image", Overwrite }),
    );
  const get = async (Name: string) =>
    (await ssmWest.send(new GetParameterCommand({ Name })).catch(() => undefined))?.Parameter?.Value;
  const id = await copy();
  await put("/a", id);
  await put("/b", "ami-0123456789abcdef0");
  await expect.poll(async () => await get("/a")).toBe(id);
  expect(await get("/b")).toBeUndefined();
  await expect(put("/a", imageId)).rejects.toThrow(/already exists/);
  // This image belongs to another region.
  await put("/a", imageId, true);
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await get("/a")).toBe(id);
});
