import { readFileSync } from "node:fs";
import { BootStatus } from "../contract/reports/boot.ts";
import { paths } from "../os/paths.ts";
import { SupervisorSecrets } from "../secrets/supervisor.ts";
import { BootedNode } from "./booted-node.ts";
import { RenderedDigests, sha256, type Digests } from "./digests.ts";

/** The files that a boot rendered for a supervisor. */
export type Rendered = {
  /** Changes whenever one of the rendered files changes. */
  readonly id: string;
  readonly node: BootedNode;
  readonly secrets: SupervisorSecrets;
  readonly digests: Digests;
};

/** @throws Error while a boot writes the files, or after a boot ended while it wrote them */
export function readRendered(): Rendered {
  const node = readFileSync(paths.node, "utf8");
  const secrets = readFileSync(paths.supervisorSecrets, "utf8");
  const digests = readFileSync(paths.rendered, "utf8");
  const expected = RenderedDigests.parse(JSON.parse(digests));
  if (expected.node !== sha256(node) || expected.files[paths.supervisorSecrets] !== sha256(secrets))
    throw new Error("the rendered files belong to different boots");
  return {
    id: sha256(digests),
    node: BootedNode.parse(JSON.parse(node)),
    secrets: SupervisorSecrets.parse(JSON.parse(secrets)),
    digests: expected.files,
  };
}

/** The status of the last boot. */
export const readBootStatus = (): BootStatus =>
  BootStatus.parse(JSON.parse(readFileSync(paths.boot, "utf8")));
