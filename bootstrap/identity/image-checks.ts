import { schemaIncompatibility } from "../contract/eclair/versions.ts";
import { EclairAmiError } from "../contract/errors.ts";
import type { ClusterRecord } from "../contract/record/record.ts";
import type { DatabaseState } from "../database/state.ts";
import type { Expected } from "./expected.ts";

/** Refuses a fence or schemas that this image cannot use. */
export function requireCompatibleImage(
  expected: Expected,
  record: ClusterRecord | undefined,
  { fence, schemas }: DatabaseState,
): void {
  requireCompatibleFence(expected, fence);
  const incompatibility = schemaIncompatibility(expected.eclair, schemas, record?.lastEclair);
  if (incompatibility !== undefined) throw incompatibleSchemas(incompatibility, expected.eclair, schemas);
}

function requireCompatibleFence(expected: Expected, fence: DatabaseState["fence"]): void {
  if (fence === undefined) return;
  const operation = "checking the fence";
  if (fence.version < expected.fence)
    throw new EclairAmiError({
      code: "fence.outdated",
      operation,
      message: `the fence in the database has version ${fence.version}, and this image needs version ${expected.fence}`,
      remedy: "run `eclair-ami init` with this image: it upgrades the fence and changes nothing else",
    });
  if (fence.minimumImageVersion > expected.fence)
    throw new EclairAmiError({
      code: "fence.too-new",
      operation,
      message: `the fence in the database requires images that know version ${fence.minimumImageVersion}, and this image knows version ${expected.fence}`,
      remedy: "launch a newer image",
    });
}

function incompatibleSchemas(
  incompatibility: "too-old" | "version-skipped",
  eclair: string,
  schemas: DatabaseState["schemas"],
): EclairAmiError {
  const operation = "checking the schemas of the database";
  const versions = Object.entries(schemas)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
  if (incompatibility === "too-old")
    return new EclairAmiError({
      code: "eclair.too-old",
      operation,
      message: `Eclair ${eclair} of this image is older than the database's schemas (${versions})`,
      remedy: "launch an image with an Eclair that is at least as new as the Eclair that ran last",
    });
  return new EclairAmiError({
    code: "eclair.version-skipped",
    operation,
    message: `Eclair ${eclair} of this image cannot migrate this database (${versions}): Eclair 0.13.0 must run on it once before`,
    remedy: "launch an image with Eclair 0.13.0, wait until the node is active, then launch this image",
  });
}
