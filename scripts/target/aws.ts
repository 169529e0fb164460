import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { clientFactory, type Target } from "./target.ts";

export type AwsOptions = {
  readonly architecture?: "x86_64" | "arm64";
  readonly region?: string;
  /** A role to assume for every call. */
  readonly roleArn?: string;
  readonly subnetId?: string;
  readonly instanceType?: string;
  readonly sshInterface?: string;
  readonly instanceProfile?: string;
  readonly kmsKeyId?: string;
  /** An account id, or `self`; Debian by default. */
  readonly sourceOwner?: string;
  /** A pattern of EC2 for the name of the base image. */
  readonly sourceName?: string;
};

export const defaultInstanceTypes = { x86_64: "t3.medium", arm64: "t4g.medium" } as const;

/**
 * AWS, with the SDK's default chain of credentials. The environment variable AWS_ENDPOINT_URL replaces the endpoint,
 * for Packer too.
 */
export function awsTarget(options: AwsOptions): Target {
  const region = options.region ?? process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"];
  if (region === undefined)
    throw new EclairAmiError({
      code: "aws.region-missing",
      operation: "choosing the AWS region",
      message: "no region is configured",
      remedy: "pass --region, or set AWS_REGION",
      exitCode: 2,
    });
  const endpoint = process.env["AWS_ENDPOINT_URL_EC2"] ?? process.env["AWS_ENDPOINT_URL"];
  const instanceType = options.instanceType ?? defaultInstanceTypes[options.architecture ?? "x86_64"];
  return {
    name: "aws",
    region,
    client: clientFactory({ region, ...(options.roleArn !== undefined && { roleArn: options.roleArn }) }),
    packerVariables: {
      // Packer's Amazon plugin does not read AWS_ENDPOINT_URL.
      ...(endpoint !== undefined && { ec2_endpoint: endpoint }),
      ...(options.sshInterface !== undefined && { ssh_interface: options.sshInterface }),
      ...(options.subnetId !== undefined && { subnet_id: options.subnetId }),
      ...(options.instanceProfile !== undefined && { iam_instance_profile: options.instanceProfile }),
      ...(options.kmsKeyId !== undefined && { kms_key_id: options.kmsKeyId }),
      ...(options.sourceOwner !== undefined && { source_image_owner: options.sourceOwner }),
      ...(options.sourceName !== undefined && { source_image_name: options.sourceName }),
    },
    commandPrefix: [],
    instance: {
      type: instanceType,
      ...(options.subnetId !== undefined && { subnetId: options.subnetId }),
    },
  };
}
