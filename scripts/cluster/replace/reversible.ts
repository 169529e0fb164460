import { RDSClient } from "@aws-sdk/client-rds";
import { keepsSchemas, schemaIncompatibility } from "../../../bootstrap/contract/eclair/versions.ts";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";
import type { ClusterRecord } from "../../../bootstrap/contract/record/record.ts";
import type { Target } from "../../target/target.ts";
import { findSnapshot } from "./snapshots.ts";

const maximumSnapshotAgeHours = 24;

export type Consent = {
  /** The operator accepts that only the snapshot can revert the change. */
  readonly allowIrreversible: boolean;
  /** An RDS snapshot of the node's database: of an instance, or of a cluster. */
  readonly snapshot?: string;
};

/**
 * Whether the previous image can take over again after an Eclair of this version ran on the node's database.
 * @throws EclairAmiError when this Eclair cannot run on the database at all
 */
export function isReversible({ lastEclair }: ClusterRecord, eclair: string): boolean {
  const incompatibility = schemaIncompatibility(eclair, lastEclair?.schemas ?? {}, lastEclair);
  if (incompatibility === undefined) return keepsSchemas(eclair, lastEclair);
  const tooOld = incompatibility === "too-old";
  throw new EclairAmiError({
    code: "replace.schemas-incompatible",
    operation: `checking whether Eclair ${eclair} can run on the node's database`,
    message: tooOld
      ? `Eclair ${lastEclair?.version ?? "of a later version"} changed the schemas of the database, and Eclair ${eclair} is older`
      : `Eclair ${eclair} cannot migrate these schemas: a version between them must run once on the database`,
    remedy: tooOld
      ? "use an image with that Eclair or a later one; an earlier snapshot of the database can lose every channel: docs/identity.md"
      : "replace with an image of Eclair 0.13.0 first",
    exitCode: 2,
  });
}

/** Requires the operator's consent, and a recent snapshot of the node's own database, for an irreversible change. */
export async function requireConsent(
  target: Target,
  record: ClusterRecord,
  eclair: string,
  { allowIrreversible, snapshot }: Consent,
): Promise<void> {
  const refused = (message: string, cause?: unknown): EclairAmiError =>
    new EclairAmiError(
      {
        code: "replace.irreversible",
        operation: `replacing Eclair ${record.lastEclair?.version ?? "of an earlier version"} with ${eclair}`,
        message,
        remedy:
          "this Eclair changes the schemas of the database, and the previous image cannot take over again; a return to a snapshot can lose every channel (docs/identity.md). Create a snapshot nevertheless with `aws rds create-db-snapshot`, or `create-db-cluster-snapshot` for a cluster, wait until it is available, and pass --allow-irreversible --snapshot ID",
        exitCode: 2,
      },
      { cause },
    );
  if (!allowIrreversible) throw refused("the change is irreversible, and --allow-irreversible is missing");
  if (snapshot === undefined) throw refused("--snapshot is missing");
  const found = await findSnapshot(target.client(RDSClient), snapshot).catch((error: unknown) => {
    throw refused(messageOf(error), error);
  });
  if (found === undefined) throw refused(`the snapshot ${snapshot} does not exist`);
  if (found.status !== "available") throw refused(`the snapshot ${snapshot} is ${found.status}`);
  if (found.host !== record.database.host)
    throw refused(`the snapshot ${snapshot} is not of the node's database ${record.database.host}`);
  const hours = (Date.now() - (found.createdAt?.getTime() ?? 0)) / 3_600_000;
  if (hours > maximumSnapshotAgeHours)
    throw refused(`the snapshot ${snapshot} is ${Math.round(hours)} hours old`);
}
