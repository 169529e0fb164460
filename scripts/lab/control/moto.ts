import {
  EC2Client,
  paginateDescribeInstances,
  type DescribeInstancesCommandInput,
  type Instance,
} from "@aws-sdk/client-ec2";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { RDSClient } from "@aws-sdk/client-rds";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { STSClient } from "@aws-sdk/client-sts";
import { accountHeader, home, motoPort, type Scope } from "../addresses.ts";

/** The settings of clients of moto itself, without the lab's API in front of it. */
export const motoSettings = {
  region: home.region,
  endpoint: `http://127.0.0.1:${motoPort}`,
  credentials: { accessKeyId: "lab", secretAccessKey: "lab" },
};

/** A client of moto for a region of an account. */
export function motoClient<Client>(
  service: new (settings: typeof motoSettings) => Client,
  { accountId, region }: Scope,
): Client {
  const client = new service({ ...motoSettings, region });
  const { middlewareStack } = client as Pick<EC2Client, "middlewareStack">;
  middlewareStack.add(
    (next) => async (call) => {
      (call.request as { headers: Record<string, string> }).headers[accountHeader] = accountId;
      return await next(call);
    },
    { step: "build" },
  );
  return client;
}

const ec2Clients = new Map<string, EC2Client>();
/** The EC2 of moto in a region of an account. */
export function motoEc2In(scope: Scope): EC2Client {
  const key = `${scope.accountId} ${scope.region}`;
  const client = ec2Clients.get(key) ?? motoClient(EC2Client, scope);
  ec2Clients.set(key, client);
  return client;
}

export const motoEc2 = new EC2Client(motoSettings);
export const motoElb = new ElasticLoadBalancingV2Client(motoSettings);
export const motoRds = new RDSClient(motoSettings);
export const motoSecrets = new SecretsManagerClient(motoSettings);
export const motoSts = new STSClient(motoSettings);

export async function readInstances(scope: Scope, query: DescribeInstancesCommandInput): Promise<Instance[]> {
  const instances: Instance[] = [];
  for await (const page of paginateDescribeInstances({ client: motoEc2In(scope) }, query))
    for (const reservation of page.Reservations ?? []) instances.push(...(reservation.Instances ?? []));
  return instances;
}
