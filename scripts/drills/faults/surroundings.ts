import { setFaults, type Fault as LabFault } from "../../lab/front/faults.ts";
import { killEclair } from "../../lab/cluster/failover.ts";
import { services } from "../../lab/addresses.ts";
import { between, cut, mend } from "../cuts.ts";
import type { Fault } from "../fault.ts";
import { Astray, type Scene } from "../scene.ts";
import { killHaproxy } from "../stage.ts";

const awayMilliseconds = 300_000;

const api = (action: string): LabFault => ({
  service: "api",
  action,
  code: "ServiceUnavailable",
  status: 503,
  until: Date.now() + awayMilliseconds,
});
const imds = (): LabFault[] => [{ service: "imds", status: 0, until: Date.now() + awayMilliseconds }];
const secretsManager = (): LabFault[] => [api("GetSecretValue")];
const dynamodb = (): LabFault[] =>
  ["GetItem", "UpdateItem", "PutItem", "Query", "TransactWriteItems"].map(api);

/** What a node needs beside its database. */
export const faults: readonly Fault[] = [
  takeoverWithout("imds", "metadata", imds),
  takeoverWithout("secrets", "Secrets Manager", secretsManager),
  {
    name: "takeover-without-dynamodb",
    title: "kill -9 of Eclair with DynamoDB away: a takeover waits for the record, and comes when it is back",
    play: async (scene) => await waitForRecord(scene, dynamodb()),
    heal: async ({ stage }) => setFaults(stage.lab, stage.configuration.cluster, []),
  },
  {
    name: "takeover-without-all",
    title: "the same with metadata and Secrets Manager away as well",
    play: async (scene) => await waitForRecord(scene, [...imds(), ...secretsManager(), ...dynamodb()]),
    heal: async ({ stage }) => setFaults(stage.lab, stage.configuration.cluster, []),
  },
  {
    name: "disk-full",
    title: "the active one's disk is full",
    play: async (scene) => {
      const { active } = scene.pair;
      await scene.strike(active, "dd if=/dev/zero of=/var/tmp/full bs=1M 2>/dev/null; sync");
      await scene.pass(20);
      await scene.serves([active], Date.now(), 2);
    },
    heal: async (scene) => {
      await scene.inGuest(scene.pair.active, "rm -f /var/tmp/full");
    },
  },
  {
    name: "bitcoind-behind",
    title: "the active one's bitcoind is stuck behind the chain",
    play: async (scene) => {
      const { active, standby } = scene.pair;
      await scene.strikeBy(() => cut(scene.stage.lab, between(scene.addresses.active, services.miner)));
      // The lab mines every half minute.
      await scene.fallsBehind(active, standby);
      await scene.pass(10);
      await scene.serves([active, standby], Date.now(), 2);
    },
    heal: async ({ stage }) => await mend(stage.lab),
  },
  {
    name: "haproxy-restarted",
    title: "HAProxy restarted",
    play: async (scene) => {
      await scene.strikeBy(() => killHaproxy(scene.stage));
      await scene.serves(["balancer"], (scene.struckAt ?? 0) + 200);
      await scene.serves([scene.pair.active], Date.now(), 2);
    },
  },
];

/** Metadata, or the secrets, were read at boot: a takeover asks for neither. */
function takeoverWithout(name: string, title: string, away: () => LabFault[]): Fault {
  return {
    name: `takeover-without-${name}`,
    title: `kill -9 of Eclair with ${title} away: nothing waits for it`,
    play: async (scene) => {
      setFaults(scene.stage.lab, scene.stage.configuration.cluster, away());
      await scene.strike(scene.pair.active, killEclair);
      await scene.serves([scene.pair.standby], undefined, 10);
    },
    heal: async ({ stage }) => setFaults(stage.lab, stage.configuration.cluster, []),
  };
}

async function waitForRecord(scene: Scene, away: LabFault[]): Promise<void> {
  const { stage, pair } = scene;
  const both = [pair.active, pair.standby];
  setFaults(stage.lab, stage.configuration.cluster, away);
  await scene.strike(pair.active, killEclair);
  const soon = await scene.serves(both, (scene.struckAt ?? 0) + 500, 10).then(
    () => true,
    () => false,
  );
  if (soon) throw new Astray("somebody took over though the record could not be read");
  setFaults(stage.lab, stage.configuration.cluster, []);
  await scene.serves(both, Date.now());
}
