import {
  ModifyDBClusterCommand,
  ModifyDBInstanceCommand,
  paginateDescribeDBClusters,
  paginateDescribeDBInstances,
  RDSClient,
} from "@aws-sdk/client-rds";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import { referenceOf } from "../../../bootstrap/contract/configuration/secret-reference.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { allItems } from "../../target/pages.ts";
import type { Target } from "../../target/target.ts";
import { currentVersionOf } from "./current-version.ts";

const timeoutMilliseconds = { lab: 60_000, aws: 900_000 } as const;
const pollMilliseconds = { lab: 500, aws: 10_000 } as const;

/** The server of a database, as RDS knows it. */
type Server = {
  readonly identifier: string;
  readonly isCluster: boolean;
  /** The ARN of the secret of the master user; undefined when RDS does not manage it. */
  readonly secretArn: string | undefined;
};

/**
 * Rotates the login of the database's owner, whose secret RDS manages. RDS changes password and secret itself, within seconds.
 * Only a cluster setup uses this login.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
 * @returns the id of the new version of the secret
 */
export async function rotateOwner(target: Target, setup: ClusterSetup, signal: AbortSignal): Promise<string> {
  const operation = `rotating the owner's login of ${setup.cluster}`;
  const secret = referenceOf(setup.database.ownerSecret).id;
  const server = await serverOf(target, setup.database.host);
  if (server?.secretArn === undefined) throw notManaged(operation, setup.database.host);
  const before = await currentVersionOf(target, server.secretArn);
  if (before.arn !== (await currentVersionOf(target, secret)).arn)
    throw otherSecret(operation, secret, server.secretArn);
  await modify(target, server);
  const end = performance.now() + timeoutMilliseconds[target.name];
  for (;;) {
    const { versionId } = await currentVersionOf(target, server.secretArn);
    if (versionId !== before.versionId && versionId !== undefined) return versionId;
    if (signal.aborted || performance.now() > end)
      throw new EclairAmiError({
        code: signal.aborted ? "interrupted" : "rotation.timeout",
        operation,
        message: `RDS has not stored a new version of ${server.secretArn} yet`,
        remedy:
          "RDS continues by itself: check MasterUserSecret in `aws rds describe-db-instances`, which becomes active",
        mayHaveChanged: "RDS may still change the password and the secret",
        ...(signal.aborted && { exitCode: 130 }),
      });
    await sleep(pollMilliseconds[target.name]);
  }
}

async function serverOf(target: Target, host: string): Promise<Server | undefined> {
  const client = target.client(RDSClient);
  const instances = await allItems(
    paginateDescribeDBInstances({ client }, {}),
    ({ DBInstances }) => DBInstances,
  );
  const instance = instances.find(({ Endpoint }) => Endpoint?.Address === host);
  if (instance !== undefined)
    return {
      identifier: instance.DBInstanceIdentifier ?? "",
      isCluster: false,
      secretArn: instance.MasterUserSecret?.SecretArn,
    };
  const clusters = await allItems(paginateDescribeDBClusters({ client }, {}), ({ DBClusters }) => DBClusters);
  const found = clusters.find(({ Endpoint }) => Endpoint === host);
  return (
    found && {
      identifier: found.DBClusterIdentifier ?? "",
      isCluster: true,
      secretArn: found.MasterUserSecret?.SecretArn,
    }
  );
}

/** RDS accepts the rotation only when it is applied at once. */
async function modify(target: Target, { identifier, isCluster }: Server): Promise<void> {
  const client = target.client(RDSClient);
  const change = { RotateMasterUserPassword: true, ApplyImmediately: true };
  await (isCluster
    ? client.send(new ModifyDBClusterCommand({ DBClusterIdentifier: identifier, ...change }))
    : client.send(new ModifyDBInstanceCommand({ DBInstanceIdentifier: identifier, ...change })));
}

const notManaged = (operation: string, host: string) =>
  new EclairAmiError({
    code: "rotation.owner-not-managed",
    operation,
    message: `RDS does not manage the secret of the master user of ${host}`,
    remedy:
      "let RDS manage it: `aws rds modify-db-instance --db-instance-identifier ID --manage-master-user-password --apply-immediately`, and name the new secret as database.ownerSecret. Another owner is rotated by whoever created it",
    exitCode: 2,
  });

const otherSecret = (operation: string, secret: string, managed: string) =>
  new EclairAmiError({
    code: "rotation.owner-not-managed",
    operation,
    message: `database.ownerSecret names ${secret}, and RDS manages ${managed}`,
    remedy: "name the secret that RDS manages as database.ownerSecret; nothing was changed",
    exitCode: 2,
  });
