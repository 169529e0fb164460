import { DescribeDBInstancesCommand, DescribeDBSnapshotsCommand } from "@aws-sdk/client-rds";
import { leavesAsIs, whyNotRun } from "../../bootstrap/eclair/schemas.ts";
import type { ClusterRecord } from "../../bootstrap/record/record.ts";
import { Failure, messageOf } from "../core/failure.ts";
import type { Target } from "../target/target.ts";

const newestSnapshotHours = 24;

export type Consent = {
  /** The operator knows that there is no way back but the snapshot. */
  readonly irreversible: boolean;
  /** An RDS snapshot of the node's database. */
  readonly snapshot?: string;
};

/**
 * Whether the image before can take over again after an Eclair of this version has run on the node's database.
 * @throws Failure when this Eclair can't run on it at all
 */
export function isReversible(record: ClusterRecord, eclair: string): boolean {
  const found = record.eclair?.schemas ?? {};
  const why = whyNotRun(eclair, found, record.eclair);
  if (why === undefined) return leavesAsIs(eclair, record.eclair);
  throw new Failure({
    code: "replace.schemas",
    doing: `looking whether Eclair ${eclair} can run on the node's database`,
    cause:
      why === "older"
        ? `Eclair ${record.eclair?.version ?? "of a later version"} has changed the database's schemas, and this one is older`
        : "a version between them has to run once on this database",
    remedy:
      why === "older"
        ? "take an image with that Eclair or a later one; a snapshot from before can cost every channel: docs/identity.md"
        : "replace with an image of Eclair 0.13.0 first",
    exit: 2,
  });
}

/** What can't be undone wants the operator's word, and a recent snapshot of the node's own database. */
export async function requireConsent(
  target: Target,
  record: ClusterRecord,
  eclair: string,
  { irreversible, snapshot }: Consent,
): Promise<void> {
  const refused = (cause: string): Failure =>
    new Failure({
      code: "replace.irreversible",
      doing: `replacing Eclair ${record.eclair?.version ?? "of an earlier version"} by ${eclair}`,
      cause,
      remedy:
        "it changes the database's schemas, and the image before can't take over again; going back to a snapshot can cost every channel (docs/identity.md). Take one all the same with `aws rds create-db-snapshot`, wait until it is available, and pass --irreversible --snapshot ID",
      exit: 2,
    });
  if (!irreversible) throw refused("this can't be undone, and --irreversible is not given");
  if (snapshot === undefined) throw refused("no snapshot is named");
  const { DBSnapshots = [] } = await target.rds
    .send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: snapshot }))
    .catch((error: unknown) => {
      throw refused(messageOf(error));
    });
  const [found] = DBSnapshots;
  if (found === undefined) throw refused(`there is no snapshot ${snapshot}`);
  if (found.Status !== "available") throw refused(`the snapshot ${snapshot} is ${found.Status}`);
  const { DBInstances = [] } = await target.rds.send(new DescribeDBInstancesCommand({}));
  const host = DBInstances.find(({ DBInstanceIdentifier: id }) => id === found.DBInstanceIdentifier)?.Endpoint
    ?.Address;
  if (host !== record.database.host)
    throw refused(`the snapshot ${snapshot} is of another database than ${record.database.host}`);
  // A copy of a snapshot has a time of its own.
  const madeAt = found.OriginalSnapshotCreateTime ?? found.SnapshotCreateTime;
  const hours = (Date.now() - (madeAt?.getTime() ?? 0)) / 3_600_000;
  if (hours > newestSnapshotHours)
    throw refused(`the snapshot ${snapshot} is ${Math.round(hours)} hours old`);
}
