import { DescribeDBInstancesCommand, type DBInstance } from "@aws-sdk/client-rds";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { z } from "zod";
import type { LabPaths } from "../paths.ts";
import {
  removePostgres,
  startPostgres,
  stopPostgres,
  type Owner,
  type PostgresServer,
} from "../rds/postgres.ts";
import { assignAddress } from "../host/service-addresses.ts";
import { motoRds, motoSecrets } from "./moto.ts";

const RdsSecret = z.object({ username: z.string(), password: z.string() });

/** Runs a PostgreSQL server for each RDS instance in moto. */
export class Databases {
  private readonly lab: LabPaths;
  readonly servers = new Map<string, PostgresServer>();

  constructor(lab: LabPaths) {
    this.lab = lab;
  }

  async reconcile(): Promise<void> {
    const { DBInstances } = await motoRds.send(new DescribeDBInstancesCommand({}));
    const wanted = (DBInstances ?? []).filter((instance) => instance.Engine === "postgres");
    for (const [identifier, server] of this.servers)
      if (!wanted.some((instance) => instance.DBInstanceIdentifier === identifier)) {
        await removePostgres(server);
        this.servers.delete(identifier);
      }
    for (const instance of wanted) await this.apply(instance);
  }

  private async apply(instance: DBInstance): Promise<void> {
    const identifier = instance.DBInstanceIdentifier ?? "";
    const server: PostgresServer = {
      lab: this.lab,
      identifier,
      host: instance.Endpoint?.Address ?? "",
      address: await assignAddress(this.lab, "rds", identifier),
      port: instance.Endpoint?.Port ?? 5432,
    };
    this.servers.set(identifier, server);
    if (instance.DBInstanceStatus === "stopped") await stopPostgres(server);
    else await startPostgres(server, () => readOwner(instance));
  }
}

async function readOwner(instance: DBInstance): Promise<Owner> {
  const { SecretString } = await motoSecrets.send(
    new GetSecretValueCommand({ SecretId: instance.MasterUserSecret?.SecretArn }),
  );
  const secret = RdsSecret.parse(JSON.parse(SecretString ?? ""));
  return { ...secret, ...(instance.DBName !== undefined && { database: instance.DBName }) };
}
