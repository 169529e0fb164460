import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ports } from "../../bootstrap/contract/ports.ts";
import {
  answersAt,
  balanceAcrossZones,
  loadBalancerAddresses,
} from "../../scripts/lab-cluster/load-balancer-endpoint.ts";
import { zones } from "../../scripts/lab/addresses.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { cli, eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");
const [image] = inject("images");
const imageId = image?.id ?? "";

let nodes: Cluster;
let ids: readonly string[] = [];

const launchIn = async (zone: number, changes: Record<string, unknown> = {}) => {
  const subnetId = readFacts(nodes.lab)?.network?.subnetIds[zones[zone]?.name ?? ""];
  return await nodes.launch(imageId, changes, ...(subnetId === undefined ? [] : ["--subnet", subnetId]));
};
const currentPair = () => pairOf(nodes, ids);
const addressOf = async (id: string) => (await nodes.status(id))?.privateIp ?? "";
const answers = async (id: string) =>
  await answersAt(nodes.target, nodes.configuration.nodeId, await addressOf(id));
const eventuallyAnswers = (id: string) =>
  eventually(`${id} to lead to the node`, async () => ((await answers(id)) ? true : undefined));

beforeAll(async () => {
  nodes = await cluster(state, "door", imageId);
  const first = await launchIn(0);
  await nodes.waitUntilActive(first);
  ids = [first, await launchIn(1)];
  await currentPair();
});
afterAll(async () => {
  await Promise.all(ids.map((id) => nodes.terminate(id)));
});

describe("a pair with doors", () => {
  test("both instances serve: each leads to the active Eclair", async () => {
    await eventually("both targets to be healthy", async () => {
      const healthy = (await nodes.statuses()).filter(({ targetHealth }) => targetHealth.includes("healthy"));
      return ids.every((id) => healthy.some(({ instanceId }) => instanceId === id)) ? true : undefined;
    });
    for (const id of ids) await eventuallyAnswers(id);
    const { standby } = await currentPair();
    // `serving` alone causes no report: the next one can come ten seconds later.
    const report = await eventually("the standby to report that it serves", async () => {
      const { report: current } = (await nodes.status(standby)) ?? {};
      return current?.serving === true ? current : undefined;
    });
    expect(report).toMatchObject({ role: "standby", active: false });
    expect(report.reasons).toEqual(["another Eclair holds the lease"]);
  });

  test.each([true, false])(
    "the load balancer's address of each zone leads to the node, with cross-zone load balancing %s",
    async (enabled) => {
      await balanceAcrossZones(nodes.target, nodes.name, enabled);
      const names = zones.map(({ name }) => name);
      const addresses = await loadBalancerAddresses(nodes.target, nodes.name, names);
      expect(new Set(addresses.values()).size).toBe(zones.length);
      for (const address of addresses.values())
        expect(await answersAt(nodes.target, nodes.configuration.nodeId, address)).toBe(true);
      const status = await cli(["status", "--state", state, "--cluster", nodes.name]);
      expect(status.stderr.includes("does not balance across zones")).toBe(!enabled);
    },
  );

  test("the inner port admits only the hosts of the cluster", async () => {
    const { active, standby } = await currentPair();
    const address = await addressOf(active);
    expect(await answersAt(nodes.target, nodes.configuration.nodeId, address, ports.door)).toBe(false);
    const fromStandby = `exec 3<>/dev/tcp/${address}/${ports.door}; timeout 1 cat <&3; echo $?`;
    // Without a first byte, the door of the active host keeps the connection open.
    expect((await nodes.inGuest(standby, fromStandby)).stdout).toBe("124");
  });

  test("a door that ends is started again", async () => {
    const { standby } = await currentPair();
    await nodes.inGuest(standby, "pkill --signal KILL --full '^/usr/bin/eclair-bootstrap door$'");
    await eventuallyAnswers(standby);
    const log = await nodes.inGuest(
      standby,
      "journalctl --no-pager --output=cat --unit=eclair-supervisor --grep=door.ended",
    );
    expect(log.stdout).toContain('"signal":"SIGKILL"');
    expect((await nodes.status(standby))?.report?.role).toBe("standby");
  });

  test("each instance leads to the node after a switchover", async () => {
    const before = await currentPair();
    const run = await cli(["switchover", "--state", state, "--cluster", nodes.name, "--json"]);
    expect(run.exitCode, run.all).toBe(0);
    expect(await currentPair()).toEqual({ active: before.standby, standby: before.active });
    for (const id of ids) expect(await answers(id)).toBe(true);
  });
});

test("a standby with a door leads to an active instance without one", async () => {
  const { active, standby } = await currentPair();
  await nodes.terminate(standby);
  const without = await launchIn(0, { door: "off" });
  ids = [active, without];
  await currentPair();
  // Without a door, a standby refuses the connections of peers, and only `/active` suits its target group.
  expect(await answers(without)).toBe(false);
  expect((await nodes.status(without))?.report).toMatchObject({ role: "standby", serving: false });
  const run = await cli(["switchover", "--state", state, "--cluster", nodes.name, "--json"]);
  expect(run.exitCode, run.all).toBe(0);
  expect(await currentPair()).toEqual({ active: without, standby: active });
  expect(await answers(without)).toBe(true);
  await eventuallyAnswers(active);
  const listening = await nodes.inGuest(
    without,
    "ss --no-header --listening --tcp --numeric 'sport = :9735'",
  );
  expect(listening.stdout).toMatch(/(0\.0\.0\.0|\*):9735/);
});
