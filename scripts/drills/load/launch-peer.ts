import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { singleTemplateName } from "../../../infra/cluster/template-names.ts";
import { readConfiguration } from "../../cluster/configuration/read.ts";
import { launch } from "../../cluster/launch.ts";
import { nodeStatuses } from "../../cluster/status.ts";
import { initLabNode } from "../../lab-cluster/node.ts";
import type { DrillEnvironment } from "../environment.ts";
import { restorePair } from "../pair.ts";
import { Peer } from "./peer.ts";

const cluster = "drill-peer";
const activeTimeoutMilliseconds = 300_000;
const pollMilliseconds = 500;
/** Without it, Eclair delays its reaction to a block. */
const peerSettings = { "channel.max-block-processing-delay": "0 seconds" };

/** The peer of the drilled node. Launches a peer from the drilled image when no peer exists. */
export async function preparePeer(environment: DrillEnvironment): Promise<Peer> {
  await restorePair(environment);
  const peer = new Peer(environment, (await findPeer(environment)) ?? (await launchPeer(environment)));
  await peer.prepare();
  return peer;
}

async function findPeer({ target }: DrillEnvironment): Promise<string | undefined> {
  const statuses = await nodeStatuses(target, { cluster });
  return statuses.find(({ report }) => report?.active === true)?.instanceId;
}

async function launchPeer(environment: DrillEnvironment): Promise<string> {
  const { lab, facts, target, imageId } = environment;
  const { file } = await initLabNode(lab, facts, target, { name: cluster, imageId });
  const { configuration } = await readConfiguration(file);
  writeFileSync(file, stringify({ ...configuration, eclair: { settings: peerSettings } }));
  const { instanceId } = await launch(target, {
    image: { imageId },
    configurationFile: file,
    launchTemplate: singleTemplateName(cluster),
    name: cluster,
  });
  const end = performance.now() + activeTimeoutMilliseconds;
  for (;;) {
    const active = await findPeer(environment);
    if (active !== undefined) return active;
    if (performance.now() > end)
      throw new EclairAmiError({
        code: "drill.peer-not-ready",
        operation: "launching the peer of the drilled node",
        message: `${instanceId} did not become active within ${activeTimeoutMilliseconds / 1000} s`,
        remedy: `read \`eclair-ami logs ${instanceId}\``,
      });
    await sleep(pollMilliseconds);
  }
}
