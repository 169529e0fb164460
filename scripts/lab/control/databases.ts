import { DescribeDBInstancesCommand, type DBInstance } from "@aws-sdk/client-rds";
import { GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { LabPaths } from "../paths.ts";
import {
  removePostgres,
  setPassword,
  startPostgres,
  stopPostgres,
  type Owner,
  type PostgresServer,
} from "../rds/postgres.ts";
import { assignAddress } from "../host/service-addresses.ts";
import { motoRds, motoSecrets } from "./moto.ts";

const passwordBytes = 20;
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

  /**
   * Gives the master user of a server another password, as RDS does for a managed secret: the password first, and then the secret.
   */
  async rotateMasterPassword(identifier: string): Promise<void> {
    const server = this.servers.get(identifier);
    const { DBInstances: [instance] = [] } = await motoRds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }),
    );
    if (instance === undefined || server === undefined) return;
    const { username } = await readOwner(instance);
    const password = randomBytes(passwordBytes).toString("hex");
    await setPassword(server, username, password);
    await motoSecrets.send(
      new PutSecretValueCommand({
        SecretId: instance.MasterUserSecret?.SecretArn,
        SecretString: JSON.stringify({ username, password }),
      }),
    );
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
