import { describe, expect, test } from "vitest";
import { synthesize, type NamedTemplate } from "../../infra/synthesize.ts";
import { templateFaults } from "./template-faults.ts";
import { documentVariants, running, stackDocument } from "./variants.ts";

test.each(documentVariants)("$name has no fault", ({ document }) => {
  expect(templateFaults(synthesize(document, running))).toEqual([]);
});

/** A resource whose parts a test can change. */
type Mutable = { [key: string]: Mutable };
type Plant = (resource: Mutable, properties: Mutable) => void;
const set =
  (path: string, value: unknown): Plant =>
  (_, properties) => {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let part = properties;
    for (const key of keys) part = part[key] as Mutable;
    if (value === undefined) delete part[last];
    else part[last] = value as Mutable;
  };
const ingress = (rule: object) => set("SecurityGroupIngress", [rule]);

const sound = synthesize(stackDocument(), running);

/** The templates with a fault in every resource of a type. */
function withFault(type: string, plant: Plant): NamedTemplate[] {
  const templates = structuredClone(sound);
  const found = templates
    .flatMap(({ template }) => Object.values(template.Resources))
    .filter((resource) => resource.Type === type);
  if (found.length === 0) throw new Error(`the templates contain no ${type}`);
  for (const resource of found)
    plant(resource as unknown as Mutable, (resource.Properties ?? {}) as unknown as Mutable);
  return templates;
}

const group = "AWS::AutoScaling::AutoScalingGroup";
const hook = (index: number, key: string) => `LifecycleHookSpecificationList.${index}.${key}`;
const targetGroup = "AWS::ElasticLoadBalancingV2::TargetGroup";
const loadBalancer = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const template = "AWS::EC2::LaunchTemplate";
const database = "AWS::RDS::DBInstance";
const securityGroup = "AWS::EC2::SecurityGroup";
const everywhere = { CidrIp: "0.0.0.0/0" };
const port = (number: number) => ({ IpProtocol: "tcp", FromPort: number, ToPort: number });

describe("a planted fault is found:", () => {
  test.each<[string, string, Plant]>([
    ["a health check every 3 s", targetGroup, set("HealthCheckIntervalSeconds", 3)],
    ["a timeout of 1 s", targetGroup, set("HealthCheckTimeoutSeconds", 1)],
    ["a timeout longer than the interval", targetGroup, set("HealthCheckTimeoutSeconds", 10)],
    ["a healthy threshold of 1", targetGroup, set("HealthyThresholdCount", 1)],
    ["an unhealthy threshold of 1", targetGroup, set("UnhealthyThresholdCount", 1)],
    ["a TCP health check", targetGroup, set("HealthCheckProtocol", "TCP")],
    ["a health check on the traffic port", targetGroup, set("HealthCheckPort", "traffic-port")],
    ["hidden client addresses", targetGroup, set("TargetGroupAttributes.0.Value", "false")],
    ["no cross-zone load balancing", loadBalancer, set("LoadBalancerAttributes", undefined)],
    ["a changing address", loadBalancer, set("SubnetMappings.0.AllocationId", undefined)],
    ["a single zone", loadBalancer, set("SubnetMappings", [{ SubnetId: "s", AllocationId: "a" }])],
    ["IMDSv1", template, set("LaunchTemplateData.MetadataOptions.HttpTokens", "optional")],
    ["no metadata options", template, set("LaunchTemplateData.MetadataOptions", undefined)],
    [
      "metadata for containers",
      template,
      set("LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit", 2),
    ],
    ["an unencrypted volume", template, set("LaunchTemplateData.BlockDeviceMappings.0.Ebs.Encrypted", false)],
    ["a volume without encryption", template, set("LaunchTemplateData.BlockDeviceMappings", undefined)],
    [
      "a public address",
      template,
      set("LaunchTemplateData.NetworkInterfaces.0.AssociatePublicIpAddress", true),
    ],
    ["a public database", database, set("PubliclyAccessible", true)],
    ["a database that is public by default", database, set("PubliclyAccessible", undefined)],
    ["an unencrypted database", database, set("StorageEncrypted", false)],
    ["a database in one zone", database, set("MultiAZ", false)],
    ["a database without deletion protection", database, set("DeletionProtection", false)],
    ["a database with short backups", database, set("BackupRetentionPeriod", 1)],
    ["backups that end with the database", database, set("DeleteAutomatedBackups", true)],
    ["a password next to the managed one", database, set("MasterUserPassword", "secret")],
    ["a password in place of the managed one", database, set("ManageMasterUserPassword", undefined)],
    ["a database without TLS", "AWS::RDS::DBParameterGroup", set("Parameters", {})],
    [
      "a key without Auto Scaling",
      "AWS::KMS::Key",
      (_, properties) => {
        const statements = properties["KeyPolicy"]?.["Statement"] as unknown as Mutable[];
        statements.splice(1);
      },
    ],
    ["a table without backups", "AWS::DynamoDB::Table", set("PointInTimeRecoverySpecification", undefined)],
    ["a table without protection", "AWS::DynamoDB::Table", set("DeletionProtectionEnabled", false)],
    ["a heartbeat of 29 s", group, set(hook(1, "HeartbeatTimeout"), 29)],
    ["a heartbeat of 2 h 1 s", group, set(hook(0, "HeartbeatTimeout"), 7201)],
    ["a terminating hook of 28 minutes", group, set(hook(1, "HeartbeatTimeout"), 1680)],
    ["no hooks", group, set("LifecycleHookSpecificationList", undefined)],
    ["a missing hook", group, set("LifecycleHookSpecificationList", [])],
    [
      "a missing terminating hook",
      group,
      (_, properties) => {
        (properties["LifecycleHookSpecificationList"] as unknown as Mutable[]).pop();
      },
    ],
    ["a hook with another name", group, set(hook(1, "LifecycleHookName"), "terminating")],
    ["a hook that continues a failed launch", group, set(hook(0, "DefaultResult"), "CONTINUE")],
    ["target groups on the group", group, set("TargetGroupARNs", ["arn"])],
    ["$Latest", group, set("LaunchTemplate.Version", "$Latest")],
    ["$Default", group, set("LaunchTemplate.Version", "$Default")],
    ["ELB health checks of the group", group, set("HealthCheckType", "ELB")],
    ["a desired capacity", group, set("DesiredCapacity", "2")],
    ["one zone of the group", group, set("VPCZoneIdentifier", ["subnet-1"])],
    ["no cluster tag", group, set("Tags", [])],
    [
      "a group that replaces its instances by itself",
      group,
      (resource) => {
        resource["UpdatePolicy"] = { AutoScalingRollingUpdate: {} };
      },
    ],
    ["port 8090 open to everyone", securityGroup, ingress({ ...port(8090), ...everywhere })],
    ["port 5432 open to everyone", securityGroup, ingress({ ...port(5432), ...everywhere })],
    ["port 22 open to IPv6", securityGroup, ingress({ ...port(22), CidrIpv6: "::/0" })],
    ["every port open", securityGroup, ingress({ IpProtocol: "-1", ...everywhere })],
    [
      "a range with other ports",
      securityGroup,
      ingress({ IpProtocol: "tcp", FromPort: 8000, ToPort: 9735, ...everywhere }),
    ],
    ["an open port in a rule of its own", "AWS::EC2::SecurityGroupIngress", set("CidrIp", "0.0.0.0/0")],
  ])("%s", (_, type, plant) => {
    expect(templateFaults(withFault(type, plant))).not.toEqual([]);
  });

  test.each([
    "AWS::DynamoDB::Table",
    "AWS::EC2::EIP",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::KMS::Key",
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBParameterGroup",
    "AWS::RDS::DBSubnetGroup",
  ])("%s without Retain", (type) => {
    for (const policy of ["DeletionPolicy", "UpdateReplacePolicy"])
      expect(
        templateFaults(
          withFault(type, (resource) => {
            delete resource[policy];
          }),
        ).join(" "),
      ).toContain(`${policy} is not Retain`);
  });
});
