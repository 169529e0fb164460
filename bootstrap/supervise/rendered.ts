import { readFileSync } from "node:fs";
import { NodeRecord } from "../node-record.ts";
import { BootRecord } from "../phases.ts";
import { places } from "../places.ts";
import { RenderedDigests, sha256, type Digests } from "../render/digests.ts";
import { SupervisorSecrets } from "../secrets/supervisor.ts";

/** What a boot has left for a supervisor. */
export type Rendered = {
  /** Another one whenever anything that was rendered is another. */
  readonly id: string;
  readonly node: NodeRecord;
  readonly secrets: SupervisorSecrets;
  readonly digests: Digests;
};

/** @throws Error when a boot is in the middle of writing it, or has come to its end there */
export function readRendered(): Rendered {
  const node = readFileSync(places.node, "utf8");
  const secrets = readFileSync(places.supervisorSecrets, "utf8");
  const digests = readFileSync(places.rendered, "utf8");
  const told = RenderedDigests.parse(JSON.parse(digests));
  if (told.node !== sha256(node) || told.files[places.supervisorSecrets] !== sha256(secrets))
    throw new Error("what a boot has rendered does not belong together");
  return {
    id: sha256(digests),
    node: NodeRecord.parse(JSON.parse(node)),
    secrets: SupervisorSecrets.parse(JSON.parse(secrets)),
    digests: told.files,
  };
}

/** How far the last boot has come. */
export const readBoot = (): BootRecord => BootRecord.parse(JSON.parse(readFileSync(places.boot, "utf8")));
