import { arch } from "node:os";
import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { RDSClient } from "@aws-sdk/client-rds";
import { Failure } from "../core/failure.ts";
import { region as labRegion, services, minerPort, zones } from "../lab/addresses.ts";
import { isHeld, readFacts, type LabFacts } from "../lab/facts.ts";
import type { LabPlace } from "../lab/place.ts";

/** Where images are made and instances run: a lab on this machine, or AWS. The code is the same. */
export type Target = {
  readonly name: "lab" | "aws";
  readonly region: string;
  readonly ec2: EC2Client;
  readonly elb: ElasticLoadBalancingV2Client;
  readonly dynamodb: DynamoDBClient;
  readonly scaling: AutoScalingClient;
  readonly rds: RDSClient;
  /** Template variables that differ between targets. */
  readonly packerVariables: Readonly<Record<string, string>>;
  /** What stands before a command that must reach an instance; empty on AWS. */
  readonly reach: readonly string[];
  readonly instance: { readonly type: string; readonly subnetId?: string };
  /** A regtest node from which a test instance takes blocks; on AWS it makes its own. */
  readonly regtestPeer?: string;
};

export const targetNames = ["lab", "aws"] as const;

export type AwsOptions = {
  readonly architecture?: "x86_64" | "arm64";
  readonly region?: string;
  readonly subnetId?: string;
  readonly instanceType?: string;
  readonly sshInterface?: string;
  readonly instanceProfile?: string;
  readonly kmsKeyId?: string;
};

const defaultInstanceTypes = { x86_64: "t3.medium", arm64: "t4g.medium" } as const;

export function labTarget(lab: LabPlace): Target {
  const facts = readFacts(lab);
  if (facts?.network === undefined || !isHeld(facts))
    throw new Failure({
      code: "lab.absent",
      doing: `using the lab in ${lab.state}`,
      cause: facts === undefined ? "there is none" : "it is not up",
      remedy: "run `eclair-ami lab up`",
    });
  const subnetId = facts.network.subnetIds[zones[0]?.name ?? ""] ?? "";
  return {
    name: "lab",
    region: labRegion,
    ec2: askFirst(new EC2Client(labSettings(facts)), lab, facts),
    elb: askFirst(new ElasticLoadBalancingV2Client(labSettings(facts)), lab, facts),
    dynamodb: askFirst(new DynamoDBClient(labSettings(facts)), lab, facts),
    scaling: askFirst(new AutoScalingClient(labSettings(facts)), lab, facts),
    rds: askFirst(new RDSClient(labSettings(facts)), lab, facts),
    packerVariables: {
      ec2_endpoint: facts.endpoint,
      ssh_interface: "private_ip",
      polling_seconds: "1",
      subnet_id: subnetId,
    },
    reach: ["nsenter", `--net=/run/netns/${lab.netns}`],
    instance: { type: defaultInstanceTypes[arch() === "arm64" ? "arm64" : "x86_64"], subnetId },
    regtestPeer: `${services.miner}:${minerPort}`,
  };
}

/** How a lab's API is reached; it looks at no credentials. */
export function labSettings(facts: LabFacts) {
  return {
    region: labRegion,
    endpoint: facts.endpoint,
    credentials: { accessKeyId: "lab", secretAccessKey: "lab" },
  };
}

type AnyClient = EC2Client | ElasticLoadBalancingV2Client | DynamoDBClient | AutoScalingClient | RDSClient;

/** Asks before every call whether the lab is still there: without its link a call would leave this machine. */
function askFirst<Client extends Pick<AnyClient, "middlewareStack">>(
  client: Client,
  lab: LabPlace,
  facts: LabFacts,
): Client {
  const { middlewareStack } = client as Pick<EC2Client, "middlewareStack">;
  middlewareStack.add(
    (next) => async (call) => {
      if (isHeld(facts)) return await next(call);
      throw new Failure({
        code: "lab.gone",
        doing: `using the lab in ${lab.state}`,
        cause: "it went down meanwhile, and everything in it",
        remedy: "run `eclair-ami lab up`, then this again",
      });
    },
    { step: "finalizeRequest" },
  );
  return client;
}

/** AWS, with the SDK's own chain of credentials; AWS_ENDPOINT_URL pins it elsewhere, for Packer too. */
export function awsTarget(options: AwsOptions): Target {
  const region = options.region ?? process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"];
  if (region === undefined)
    throw new Failure({
      code: "aws.region",
      doing: "choosing the AWS region",
      cause: "none is named",
      remedy: "pass --region, or set AWS_REGION",
      exit: 2,
    });
  const endpoint = process.env["AWS_ENDPOINT_URL_EC2"] ?? process.env["AWS_ENDPOINT_URL"];
  const instanceType = options.instanceType ?? defaultInstanceTypes[options.architecture ?? "x86_64"];
  return {
    name: "aws",
    region,
    ec2: new EC2Client({ region }),
    elb: new ElasticLoadBalancingV2Client({ region }),
    dynamodb: new DynamoDBClient({ region }),
    scaling: new AutoScalingClient({ region }),
    rds: new RDSClient({ region }),
    packerVariables: {
      // Packer's plugin stands on an SDK that doesn't know the variable.
      ...(endpoint !== undefined && { ec2_endpoint: endpoint }),
      ...(options.sshInterface !== undefined && { ssh_interface: options.sshInterface }),
      ...(options.subnetId !== undefined && { subnet_id: options.subnetId }),
      ...(options.instanceProfile !== undefined && { iam_instance_profile: options.instanceProfile }),
      ...(options.kmsKeyId !== undefined && { kms_key_id: options.kmsKeyId }),
    },
    reach: [],
    instance: {
      type: instanceType,
      ...(options.subnetId !== undefined && { subnetId: options.subnetId }),
    },
  };
}
