import {
  CloudFormationClient,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ListChangeSetsCommand,
  ListStackResourcesCommand,
} from "@aws-sdk/client-cloudformation";
import { DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stackNames } from "../../infra/stack-names.ts";
import { synthesize, type NamedTemplate } from "../../infra/synthesize.ts";
import { createChangeSet, executeChangeSet } from "../../scripts/stack/cloudformation/change-set.ts";
import { deployStack, type StackOptions } from "../../scripts/stack/deploy-stack.ts";
import { protectedResources } from "../../scripts/stack/protection.ts";
import { createServiceLinkedRoles } from "../../scripts/stack/service-linked-roles.ts";
import { clientFactory, type Target } from "../../scripts/target/target.ts";
import { stackDocument } from "../infra/variants.ts";
import { TestMoto } from "./moto-server.ts";

const names = stackNames("demo");
/** The templates of the stacks that keep money and state. */
const sound = synthesize(stackDocument()).filter(({ stackName }) => stackName !== names.cluster);
const templateOf = (stackName: string): NamedTemplate =>
  structuredClone(
    sound.find((one) => one.stackName === stackName) ?? { stackName, template: { Resources: {} } },
  );
const protectedIn = sound.flatMap(({ stackName, template }) =>
  protectedResources(template).map((logicalId) => ({ stackName, logicalId })),
);

let moto: TestMoto;
let target: Target;
const shown: string[] = [];
const options: StackOptions = {
  allowed: [],
  confirm: async ({ stackName }) => {
    shown.push(stackName);
    return await Promise.resolve(true);
  },
  report: () => undefined,
};
const cloudFormation = () => target.client(CloudFormationClient);

beforeAll(async () => {
  moto = await TestMoto.start();
  target = {
    ...{
      name: "lab",
      region: "us-east-1",
      packerVariables: {},
      commandPrefix: [],
      instance: { type: "t3.medium" },
    },
    client: clientFactory(moto.settings("us-east-1")),
  };
  await createServiceLinkedRoles(target);
  for (const template of sound) await deployStack(target, template, options);
});
afterAll(async () => {
  await moto.stop();
});

/** A property whose change replaces a resource of a type, or may replace it. */
const replacements: Readonly<Record<string, readonly [property: string, value: unknown]>> = {
  "AWS::DynamoDB::Table": ["TableName", "another"],
  "AWS::EC2::EIP": ["Address", "100.64.8.200"],
  "AWS::EC2::SecurityGroup": ["GroupDescription", "another"],
  "AWS::EC2::Subnet": ["AvailabilityZone", "us-east-1c"],
  "AWS::EC2::VPC": ["CidrBlock", "10.99.0.0/20"],
  "AWS::ElasticLoadBalancingV2::TargetGroup": ["Name", "another"],
  "AWS::RDS::DBInstance": ["DBInstanceIdentifier", "another"],
  "AWS::RDS::DBParameterGroup": ["Family", "postgres18"],
  "AWS::RDS::DBSubnetGroup": ["DBSubnetGroupName", "another"],
};

/** No property of a key replaces it. */
const replaceable = protectedIn.filter(
  ({ stackName, logicalId }) => templateOf(stackName).template.Resources[logicalId]?.Type !== "AWS::KMS::Key",
);

function setProperty({ template }: NamedTemplate, logicalId: string, property: string, value: unknown): void {
  const properties = template.Resources[logicalId]?.Properties;
  if (properties === undefined) throw new Error(`the template has no ${logicalId} with properties`);
  Object.assign(properties, { [property]: value });
}

async function expectRefused({ stackName, template }: NamedTemplate, logicalId: string, reason: RegExp) {
  const before = await resourcesOf(stackName);
  shown.length = 0;
  await expect(deployStack(target, { stackName, template }, options)).rejects.toMatchObject({
    code: "stack.protected-resource",
    message: expect.stringMatching(new RegExp(`${logicalId} \\(.*would be ${reason.source}`)),
  });
  expect(shown).toEqual([]);
  expect(await resourcesOf(stackName)).toEqual(before);
  const { Summaries = [] } = await cloudFormation().send(new ListChangeSetsCommand({ StackName: stackName }));
  expect(Summaries.filter((one) => one.StackName === stackName)).toEqual([]);
}

async function resourcesOf(StackName: string): Promise<string[]> {
  const { StackResourceSummaries = [] } = await cloudFormation().send(
    new ListStackResourcesCommand({ StackName }),
  );
  return StackResourceSummaries.map((one) => `${one.LogicalResourceId} ${one.PhysicalResourceId}`).toSorted();
}

test("the stacks protect the resources that hold money or state", () => {
  expect(protectedIn.map(({ logicalId }) => logicalId)).toEqual([
    "ClusterTable",
    "Vpc",
    "SubnetPublicUsEast1a",
    "SubnetNodeUsEast1a",
    "SubnetDatabaseUsEast1a",
    "SubnetPublicUsEast1b",
    "SubnetNodeUsEast1b",
    "SubnetDatabaseUsEast1b",
    "AddressUsEast1a",
    "AddressUsEast1b",
    "DatabaseKey",
    "VolumeKey",
    "DatabaseSecurityGroup",
    "DatabaseSubnets",
    "DatabaseParameters",
    "Database",
    "TargetGroup",
  ]);
});

test.each(replaceable)(
  "a change that would replace $logicalId is refused",
  async ({ stackName, logicalId }) => {
    const changed = templateOf(stackName);
    const [property = "", value] = replacements[changed.template.Resources[logicalId]?.Type ?? ""] ?? [];
    setProperty(changed, logicalId, property, value);
    await expectRefused(changed, logicalId, /replaced, because of/);
  },
);

test.each(protectedIn)(
  "a change that would remove $logicalId is refused",
  async ({ stackName, logicalId }) => {
    await expectRefused(without(templateOf(stackName), logicalId), logicalId, /removed/);
  },
);

test("a replacement that CloudFormation calls conditional is refused", async () => {
  const changed = templateOf(names.state);
  setProperty(changed, "Database", "MultiAZ", false);
  await expectRefused(changed, "Database", /replaced, because of MultiAZ/);
});

/** The template without a resource and everything that refers to it. */
function without({ stackName, template }: NamedTemplate, logicalId: string): NamedTemplate {
  const resources = { ...template.Resources };
  const outputs = { ...template.Outputs };
  const removed = [logicalId];
  for (let id = removed.pop(); id !== undefined; id = removed.pop()) {
    delete resources[id];
    const refers = ([, one]: [string, unknown]) =>
      JSON.stringify(one).includes(`"Ref":"${id}"`) || JSON.stringify(one).includes(`"Fn::GetAtt":["${id}"`);
    removed.push(
      ...Object.entries(resources)
        .filter(refers)
        .map(([name]) => name),
    );
    for (const [name] of Object.entries(outputs).filter(refers)) delete outputs[name];
  }
  return { stackName, template: { ...template, Resources: resources, Outputs: outputs } };
}

describe("the lab's CloudFormation", () => {
  test("a stack policy refuses what the command did not", async () => {
    const changed = without(templateOf(names.account), "ClusterTable");
    const kept = { Other: { Type: "AWS::EC2::InternetGateway" } };
    const changeSet = await createChangeSet(target, {
      ...changed,
      template: { ...changed.template, Resources: kept },
    });
    if (changeSet === undefined) throw new Error("the change set is empty");
    await expect(executeChangeSet(target, changeSet)).rejects.toThrow(/denied by stack policy/);
  });

  test("a stack with termination protection is not deleted", async () => {
    await expect(cloudFormation().send(new DeleteStackCommand({ StackName: names.state }))).rejects.toThrow(
      /TerminationProtection is enabled/,
    );
  });

  test("a template that is deployed again changes nothing", async () => {
    for (const template of sound) expect(await createChangeSet(target, template)).toBeUndefined();
  });

  test("a creation that fails leaves no resource, and can be repeated", async () => {
    const stackName = "failing";
    const gateway = { Type: "AWS::EC2::InternetGateway" };
    const subnet = (vpc: unknown) => ({
      Type: "AWS::EC2::Subnet",
      Properties: { VpcId: vpc, CidrBlock: "10.1.0.0/24", AvailabilityZone: "us-east-1a" },
    });
    const failing = { Resources: { Gateway: gateway, Subnet: subnet("vpc-missing") } };
    await expect(deployStack(target, { stackName, template: failing }, options)).rejects.toMatchObject({
      code: "stack.failed",
      message: expect.stringMatching(/ROLLBACK_COMPLETE; Subnet \(AWS::EC2::Subnet\): .*vpc-missing/),
    });
    expect(await resourcesOf(stackName)).toEqual([]);
    const vpc = { Type: "AWS::EC2::VPC", Properties: { CidrBlock: "10.1.0.0/20" } };
    const corrected = { Resources: { Gateway: gateway, Vpc: vpc, Subnet: subnet({ Ref: "Vpc" }) } };
    await deployStack(target, { stackName, template: corrected }, options);
    expect(await resourcesOf(stackName)).toHaveLength(3);
  });

  test("an update that fails restores the earlier resources", async () => {
    const stackName = "restored";
    const key = (rotated: boolean, principal: string) => ({
      Type: "AWS::KMS::Key",
      Properties: {
        Description: "restored",
        ...(rotated && { EnableKeyRotation: true }),
        KeyPolicy: {
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Principal: { AWS: principal }, Action: "kms:*", Resource: "*" }],
        },
      },
    });
    const root = "arn:aws:iam::123456789012:root";
    const created = { Resources: { Key: key(true, root) } };
    await deployStack(target, { stackName, template: created }, options);
    const before = await resourcesOf(stackName);
    const missing = "arn:aws:iam::123456789012:role/missing";
    const failing = {
      Resources: { Key: key(true, missing), Other: { Type: "AWS::EC2::InternetGateway" } },
    };
    await expect(deployStack(target, { stackName, template: failing }, options)).rejects.toMatchObject({
      code: "stack.failed",
      message: expect.stringMatching(/UPDATE_ROLLBACK_COMPLETE.*invalid principals: .*role\/missing/),
    });
    expect(await resourcesOf(stackName)).toEqual(before);
    expect(await createChangeSet(target, { stackName, template: created })).toBeUndefined();
    const { Stacks = [] } = await cloudFormation().send(new DescribeStacksCommand({ StackName: stackName }));
    expect(Stacks[0]?.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE");
    const { StackEvents = [] } = await cloudFormation().send(
      new DescribeStackEventsCommand({ StackName: stackName }),
    );
    expect(StackEvents.map((event) => event.ResourceStatus)).toContain("UPDATE_FAILED");
  });

  test("an operator can name a resource whose loss is accepted", async () => {
    const changed = without(templateOf(names.state), "VolumeKey");
    const { StackResourceSummaries = [] } = await cloudFormation().send(
      new ListStackResourcesCommand({ StackName: names.state }),
    );
    const keyId = StackResourceSummaries.find((one) => one.LogicalResourceId === "VolumeKey");
    expect(keyId).toBeDefined();
    await deployStack(target, changed, { ...options, allowed: ["VolumeKey"] });
    expect((await resourcesOf(names.state)).filter((one) => one.startsWith("VolumeKey "))).toEqual([]);
    // CloudFormation releases the key, and does not delete it.
    const { KeyMetadata } = await target
      .client(KMSClient)
      .send(new DescribeKeyCommand({ KeyId: keyId?.PhysicalResourceId }));
    expect(KeyMetadata?.KeyState).toBe("Enabled");
  });
});
