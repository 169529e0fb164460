import {
  EC2Client,
  paginateDescribeInstances,
  type DescribeInstancesCommandInput,
  type Instance,
} from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAMClient } from "@aws-sdk/client-iam";
import { RDSClient } from "@aws-sdk/client-rds";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { STSClient } from "@aws-sdk/client-sts";
import { motoPort, region } from "../addresses.ts";

/** The settings of clients of moto itself, without the lab's API in front of it. */
export const motoSettings = {
  region,
  endpoint: `http://127.0.0.1:${motoPort}`,
  credentials: { accessKeyId: "lab", secretAccessKey: "lab" },
};

export const motoEc2 = new EC2Client(motoSettings);
export const motoElb = new ElasticLoadBalancingV2Client(motoSettings);
export const motoIam = new IAMClient(motoSettings);
export const motoRds = new RDSClient(motoSettings);
export const motoSecrets = new SecretsManagerClient(motoSettings);
export const motoSts = new STSClient(motoSettings);

export async function readInstances(query: DescribeInstancesCommandInput): Promise<Instance[]> {
  const instances: Instance[] = [];
  for await (const page of paginateDescribeInstances({ client: motoEc2 }, query))
    for (const reservation of page.Reservations ?? []) instances.push(...(reservation.Instances ?? []));
  return instances;
}
