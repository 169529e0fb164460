import { hookNames } from "../../bootstrap/contract/lifecycle-hooks.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import type { NamedTemplate, TemplateResource } from "../../infra/synthesize.ts";

/** A resource with the parts that the rules read. */
type Found = {
  readonly id: string;
  readonly type: string;
  readonly properties: Properties;
  readonly resource: TemplateResource & Readonly<Record<string, unknown>>;
};
type Properties = Readonly<Record<string, unknown>>;

/**
 * The faults in the templates of a node that would cause an outage, a loss or an exposure, whether or not cfn-lint and cdk-nag
 * find them. docs/configuration.md and docs/failover.md explain the requirements.
 */
export function templateFaults(templates: readonly NamedTemplate[]): string[] {
  const resources = templates.flatMap(({ template }) =>
    Object.entries(template.Resources).map(([id, resource]) => ({
      id,
      type: resource.Type,
      properties: resource.Properties ?? {},
      resource: resource as Found["resource"],
    })),
  );
  const required = requiredTypes
    .filter((type) => !resources.some((one) => one.type === type))
    .map((type) => `no ${type}`);
  return [
    ...required,
    ...resources.flatMap((one) =>
      [...(rules[one.type]?.(one.properties, one.resource) ?? []), ...retention(one)].map(
        (fault) => `${one.id}: ${fault}`,
      ),
    ),
  ];
}

const requiredTypes = [
  "AWS::AutoScaling::AutoScalingGroup",
  "AWS::EC2::LaunchTemplate",
  "AWS::EC2::EIP",
  "AWS::ElasticLoadBalancingV2::LoadBalancer",
  "AWS::ElasticLoadBalancingV2::Listener",
  "AWS::ElasticLoadBalancingV2::TargetGroup",
];

/** Types that hold money or state, or on which something with state depends. */
const retainedTypes = [
  "AWS::DynamoDB::Table",
  "AWS::EC2::Subnet",
  "AWS::EC2::VPC",
  "AWS::ElasticLoadBalancingV2::TargetGroup",
  "AWS::KMS::Key",
  "AWS::RDS::DBInstance",
  "AWS::RDS::DBParameterGroup",
  "AWS::RDS::DBSubnetGroup",
];
/** The address of a NAT gateway is announced to nobody. */
const isRetained = ({ id, type }: Found) =>
  retainedTypes.includes(type) || (type === "AWS::EC2::EIP" && !id.includes("Nat"));

function retention(one: Found): string[] {
  if (!isRetained(one)) return [];
  const { DeletionPolicy, UpdateReplacePolicy } = one.resource;
  return [
    ...(DeletionPolicy === "Retain" || DeletionPolicy === "RetainExceptOnCreate"
      ? []
      : ["DeletionPolicy is not Retain"]),
    ...(UpdateReplacePolicy === "Retain" ? [] : ["UpdateReplacePolicy is not Retain"]),
  ];
}

type Rule = (properties: Properties, resource: Found["resource"]) => string[];

const expectEqual = (properties: Properties, expected: Properties): string[] =>
  Object.entries(expected).flatMap(([name, value]) =>
    JSON.stringify(properties[name]) === JSON.stringify(value)
      ? []
      : [`${name} is ${JSON.stringify(properties[name])}, and must be ${JSON.stringify(value)}`],
  );
const expectAbsent = (properties: Properties, ...names: string[]): string[] =>
  names.filter((name) => properties[name] !== undefined).map((name) => `${name} must not be set`);
function expectRange(properties: Properties, name: string, minimum: number, maximum: number): string[] {
  const value = Number(properties[name]);
  return value >= minimum && value <= maximum ? [] : [`${name} is not from ${minimum} to ${maximum}`];
}
const listOf = (value: unknown): Properties[] => (Array.isArray(value) ? (value as Properties[]) : []);
const attributesOf = (value: unknown): Properties =>
  Object.fromEntries(listOf(value).map(({ Key, Value }) => [String(Key), Value]));

/** ELB's limits for a Network Load Balancer. cfn-lint knows them only in part. */
const targetGroup: Rule = (properties) => [
  ...expectRange(properties, "HealthCheckIntervalSeconds", 5, 300),
  ...expectRange(properties, "HealthCheckTimeoutSeconds", 2, 120),
  ...expectRange(properties, "HealthyThresholdCount", 2, 10),
  ...expectRange(properties, "UnhealthyThresholdCount", 2, 10),
  ...(Number(properties["HealthCheckTimeoutSeconds"]) <= Number(properties["HealthCheckIntervalSeconds"])
    ? []
    : ["the timeout of the health check is longer than its interval"]),
  // A TCP check reports a frozen node as healthy.
  ...expectEqual(properties, {
    ...{ TargetType: "instance", Protocol: "TCP", Port: 9735 },
    ...{ HealthCheckProtocol: "HTTP", HealthCheckPort: "8090", HealthCheckPath: "/serving" },
  }),
  ...expectEqual(attributesOf(properties["TargetGroupAttributes"]), { "preserve_client_ip.enabled": "true" }),
];

const loadBalancer: Rule = (properties) => [
  ...expectEqual(properties, { Type: "network" }),
  ...expectEqual(attributesOf(properties["LoadBalancerAttributes"]), {
    "load_balancing.cross_zone.enabled": "true",
  }),
  ...expectAbsent(properties, "Subnets"),
  ...listOf(properties["SubnetMappings"]).flatMap((mapping) =>
    mapping["AllocationId"] === undefined ? ["a zone has no Elastic IP address"] : [],
  ),
  ...(listOf(properties["SubnetMappings"]).length >= 2 ? [] : ["the load balancer has fewer than two zones"]),
];

const launchTemplate: Rule = (properties) => {
  const data = (properties["LaunchTemplateData"] ?? {}) as Properties;
  const volumes = listOf(data["BlockDeviceMappings"]).map(({ Ebs }) => (Ebs ?? {}) as Properties);
  return [
    ...expectEqual((data["MetadataOptions"] ?? {}) as Properties, {
      HttpTokens: "required",
      HttpPutResponseHopLimit: 1,
      InstanceMetadataTags: "enabled",
    }),
    ...(volumes.length === 0 ? ["the root volume is not encrypted"] : []),
    ...volumes.flatMap((volume) => expectEqual(volume, { Encrypted: true })),
    // A group has its own subnets, and how a subnet of its template affects it is not documented.
    ...(data["ImageId"] === undefined
      ? []
      : listOf(data["NetworkInterfaces"]).flatMap((one) => expectAbsent(one, "SubnetId"))),
    ...listOf(data["NetworkInterfaces"]).flatMap((one) =>
      expectEqual(one, { AssociatePublicIpAddress: false }),
    ),
    ...expectAbsent(data, "KeyName", "InstanceMarketOptions"),
  ];
};

const group: Rule = (properties, resource) => [
  ...expectAbsent(properties, "TargetGroupARNs", "LoadBalancerNames", "TrafficSources"),
  ...expectAbsent(properties, "MixedInstancesPolicy", "LaunchConfigurationName", "DesiredCapacity"),
  ...expectAbsent(resource, "UpdatePolicy"),
  ...expectEqual(properties, { HealthCheckType: "EC2" }),
  ...(/^"\$(Latest|Default)"$|^undefined$/.test(
    JSON.stringify((properties["LaunchTemplate"] as Properties | undefined)?.["Version"]) ?? "undefined",
  )
    ? ["the group does not use the number of a launch template version"]
    : []),
  ...(listOf(properties["VPCZoneIdentifier"]).length >= 2 ? [] : ["the group has fewer than two zones"]),
  ...([tags.cluster, "Name"].every((key) =>
    listOf(properties["Tags"]).some((tag) => tag["Key"] === key && tag["PropagateAtLaunch"] === true),
  )
    ? []
    : ["a tag of the cluster is not propagated"]),
  ...hookFaults(listOf(properties["LifecycleHookSpecificationList"])),
];

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHookSpecification.html */
const hookLimits = (hook: Properties): string[] => expectRange(hook, "HeartbeatTimeout", 30, 7200);

function hookFaults(hooks: readonly Properties[]): string[] {
  const expected = {
    [hookNames.launching]: ["autoscaling:EC2_INSTANCE_LAUNCHING", "ABANDON"],
    [hookNames.terminating]: ["autoscaling:EC2_INSTANCE_TERMINATING", "CONTINUE"],
  };
  return [
    ...hooks.flatMap(hookLimits),
    ...Object.entries(expected).flatMap(([name, [transition, result]]) => {
      const hook = hooks.find(({ LifecycleHookName }) => LifecycleHookName === name);
      if (hook === undefined) return [`the lifecycle hook ${name} is missing`];
      return expectEqual(hook, { LifecycleTransition: transition, DefaultResult: result });
    }),
    ...hooks
      .filter(({ LifecycleHookName }) => LifecycleHookName === hookNames.terminating)
      .flatMap((hook) => expectRange(hook, "HeartbeatTimeout", longestWaitSeconds / maximumHeartbeats, 7200)),
  ];
}

/**
 * An active instance without a standby extends its hook for as long as AWS permits.
 * https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html#lifecycle-hook-considerations
 */
const longestWaitSeconds = 48 * 3600;
const maximumHeartbeats = 100;

const autoScalingRole = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html */
const launchActions = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"];

/** The key of the volumes must permit the role of Auto Scaling, which has no policy of the account, to launch instances. */
const key: Rule = (properties, resource) => {
  if (!JSON.stringify(properties["Description"]).includes("volumes")) return [];
  const { Statement } = (properties["KeyPolicy"] ?? {}) as Properties;
  const permitted = listOf(Statement)
    .filter(
      ({ Effect, Principal }) => Effect === "Allow" && JSON.stringify(Principal).includes(autoScalingRole),
    )
    .flatMap(({ Action }) => Action);
  return launchActions
    .filter((action) => !permitted.includes(action))
    .map((action) => `Auto Scaling has no permission ${action} on ${resource.Type}`);
};

const database: Rule = (properties) => [
  ...expectEqual(properties, {
    ...{ PubliclyAccessible: false, StorageEncrypted: true, MultiAZ: true },
    ...{ DeletionProtection: true, ManageMasterUserPassword: true, DeleteAutomatedBackups: false },
  }),
  ...expectAbsent(properties, "MasterUserPassword", "DBSnapshotIdentifier", "SourceDBInstanceIdentifier"),
  ...expectRange(properties, "BackupRetentionPeriod", 7, 35),
];

const parameters: Rule = (properties) =>
  expectEqual((properties["Parameters"] ?? {}) as Properties, { "rds.force_ssl": "1" });

const table: Rule = (properties) => [
  ...expectEqual(properties, { DeletionProtectionEnabled: true, BillingMode: "PAY_PER_REQUEST" }),
  ...expectEqual((properties["PointInTimeRecoverySpecification"] ?? {}) as Properties, {
    PointInTimeRecoveryEnabled: true,
  }),
];

const lightningPort = 9735;
const everywhere = (rule: Properties) => rule["CidrIp"] === "0.0.0.0/0" || rule["CidrIpv6"] === "::/0";
/** Any port but Lightning's, from everywhere. A range that contains another port counts. */
function ingress(rule: Properties): string[] {
  const isLightning =
    rule["IpProtocol"] === "tcp" && rule["FromPort"] === lightningPort && rule["ToPort"] === lightningPort;
  return everywhere(rule) && !isLightning ? ["a port other than 9735 is open to everyone"] : [];
}

const rules: Readonly<Record<string, Rule>> = {
  "AWS::AutoScaling::AutoScalingGroup": group,
  "AWS::AutoScaling::LifecycleHook": hookLimits,
  "AWS::DynamoDB::Table": table,
  "AWS::EC2::LaunchTemplate": launchTemplate,
  "AWS::EC2::SecurityGroup": ({ SecurityGroupIngress }) => listOf(SecurityGroupIngress).flatMap(ingress),
  "AWS::EC2::SecurityGroupIngress": ingress,
  "AWS::EC2::Subnet": (properties) => expectEqual(properties, { MapPublicIpOnLaunch: false }),
  "AWS::EC2::Volume": (properties) => expectEqual(properties, { Encrypted: true }),
  "AWS::ElasticLoadBalancingV2::LoadBalancer": loadBalancer,
  "AWS::ElasticLoadBalancingV2::TargetGroup": targetGroup,
  "AWS::KMS::Key": key,
  "AWS::RDS::DBInstance": database,
  "AWS::RDS::DBParameterGroup": parameters,
};
