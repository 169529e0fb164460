import { readFileSync } from "node:fs";
import { NodeRecord } from "../node-record.ts";
import { BootRecord } from "../phases.ts";
import { places } from "../places.ts";
import { Digests, sha256 } from "../render/digests.ts";
import { SupervisorSecrets } from "../secrets/supervisor.ts";

/** What a boot has left for a supervisor. */
export type Rendered = {
  /** Another one whenever anything that was rendered is another. */
  readonly id: string;
  readonly node: NodeRecord;
  readonly secrets: SupervisorSecrets;
  readonly digests: Digests;
};

/** @throws Error while a boot is at it, and what it writes does not belong together yet */
export function readRendered(): Rendered {
  const node = readFileSync(places.node, "utf8");
  const secrets = readFileSync(places.supervisorSecrets, "utf8");
  const digests = readFileSync(places.rendered, "utf8");
  const rendered = Digests.parse(JSON.parse(digests));
  if (rendered[places.supervisorSecrets] !== sha256(secrets))
    throw new Error("a boot is rendering its files: what is there does not belong together yet");
  return {
    id: sha256(node + digests),
    node: NodeRecord.parse(JSON.parse(node)),
    secrets: SupervisorSecrets.parse(JSON.parse(secrets)),
    digests: rendered,
  };
}

/** How far the last boot has come. */
export const readBoot = (): BootRecord => BootRecord.parse(JSON.parse(readFileSync(places.boot, "utf8")));
