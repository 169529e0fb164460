import { StartDBInstanceCommand, StopDBInstanceCommand } from "@aws-sdk/client-rds";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Budget } from "../../bootstrap/contract/budget/budget.ts";
import { insertChannelSql } from "../support/eclair-channels.ts";
import { cli, eventually, failureOf } from "./cli.ts";
import { TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");
const imageId = inject("images").find(({ eclair }) => eclair === "stand-in")?.id ?? "";

type PrintedBudget = Budget & { knownHeight: number; problem?: string };

/** Channels of a real Eclair, in the database of a pair whose stand-in does not read them. */
describe.skipIf(imageId === "")("how long the node may be away", () => {
  let nodes: Cluster;
  let ids: readonly string[];
  let miner: TestMiner;

  const height = async () => Number(await miner.rpc("getblockcount"));
  const command = (verb: string, ...flags: string[]) =>
    cli([verb, "--state", state, "--cluster", nodes.name, ...flags]);
  const budget = async () => JSON.parse((await command("budget", "--json")).stdout) as PrintedBudget;

  /** Changes the channels, and returns the budget after the next block. */
  const budgetAfter = async (sql: string): Promise<PrintedBudget> => {
    await nodes.sql(sql);
    await miner.mine(1);
    const mined = await height();
    return await eventually("the budget of the next block", async () => {
      const current = await budget();
      return current.height >= mined ? current : undefined;
    });
  };
  /** Makes the outgoing HTLC expire a number of blocks after the next block. */
  const expireIn = async (blocks: number) => {
    const expiry = (await height()) + 1 + blocks;
    return `update local.channels set json =
      jsonb_set(json, '{commitments,active,0,nextRemoteCommit,spec,htlcs,0,cltvExpiry}', '${expiry}') where channel_id = 'aa'`;
  };
  /** Waits until `status` shows a budget: a report comes shortly after the computation. */
  const statusLine = (pattern: RegExp) =>
    eventually(`a budget that matches ${pattern}`, async () => {
      const [line = ""] = /^budget .*$/m.exec((await command("status")).stdout) ?? [];
      return pattern.test(line) ? line : undefined;
    });
  const metrics = async (id: string) =>
    (await nodes.inGuest(id, "curl --silent http://127.0.0.1:8090/metrics")).stdout;

  beforeAll(async () => {
    nodes = await cluster(state, "budget", imageId);
    miner = new TestMiner(nodes.lab);
    const first = await nodes.launch(imageId);
    await nodes.waitUntilActive(first);
    ids = [first, await nodes.launch(imageId)];
    await pairOf(nodes, ids);
  });
  afterAll(async () => {
    await Promise.all(ids.map((id) => nodes.terminate(id)));
  });

  test("the channels of a real Eclair are listed by their deadlines", async () => {
    const found = await budgetAfter(
      [
        insertChannelSql("aa", "outgoing"),
        insertChannelSql("bb", "incoming"),
        insertChannelSql("cc", "fulfilled"),
        "insert into local.channels select 'dd', remote_node_id, data, json, true from local.channels where channel_id = 'aa'",
      ].join(";\n"),
    );
    expect(
      found.listed.map(({ channelId, htlcs, htlcMsat, deadlines }) => ({
        ...{ channelId, htlcs, htlcMsat },
        deadlines: deadlines.map(({ event, height: at }) => `${event} ${at}`),
      })),
    ).toEqual([
      {
        channelId: "aa",
        htlcs: 1,
        htlcMsat: 7_000_000,
        deadlines: ["payee-closes 644", "eclair-closes 668"],
      },
      { channelId: "cc", htlcs: 1, htlcMsat: 7_001_700, deadlines: ["eclair-closes 788", "peer-takes 812"] },
      { channelId: "bb", htlcs: 1, htlcMsat: 7_001_700, deadlines: ["peer-closes 812"] },
    ]);
    expect(found).toMatchObject({
      ...{ channels: 3, htlcs: 3, unreadable: 0 },
      revoked: { channels: 3, window: 720 },
    });
  });

  test("settlement commands that fulfill or fail an HTLC, and channels on a second page", async () => {
    const settlement = (id: string, type: number) =>
      `insert into local.pending_settlement_commands values ('${id}', 1, '\\x000${type}00')`;
    const found = await budgetAfter(
      [
        ...["ee", "ff", "gg"].map((id) => insertChannelSql(id, "incoming")),
        ...[settlement("ee", 6), settlement("ff", 3), settlement("gg", 9)],
        // A page has 100 channels.
        "insert into local.channels select 'z' || n, remote_node_id, data, json from local.channels, generate_series(1, 120) n where channel_id = 'bb'",
      ].join(";\n"),
    );
    expect(found.channels).toBe(126);
    const eventOf = (id: string) =>
      found.listed.find(({ channelId }) => channelId === id)?.deadlines.map(({ event }) => event);
    expect(eventOf("ee")).toEqual(["eclair-closes", "peer-takes"]);
    expect(eventOf("ff")).toEqual(["failed-htlc-expires"]);
    // A type that this version does not know counts as a fulfillment.
    expect(eventOf("gg")).toEqual(["eclair-closes", "peer-takes"]);
    await nodes.sql("delete from local.channels where channel_id not in ('aa', 'bb', 'cc')");
  });

  test("`status`, `budget` and the metrics of both instances show the blocks that are left", async () => {
    // The chain of the lab may be longer than the recorded one.
    await nodes.sql(
      ["localCommit", "remoteCommit"]
        .map(
          (commit) => `update local.channels set json =
            jsonb_set(json, '{commitments,active,0,${commit},spec,htlcs,0,cltvExpiry}', '1000000') where channel_id in ('bb', 'cc')`,
        )
        .join(";\n"),
    );
    // The lab's miner finds a block every 30 s, and the test can take some of these intervals.
    await budgetAfter(await expireIn(20));
    await statusLine(
      /(1[2-4] blocks \(about 2 h\)|(1[5-9]|20) blocks \(about 3 h\)) until Eclair closes channel aa… by force \(block \d+\); 3 channels, 0.00021003 BTC at stake$/,
    );
    const { stdout } = await command("budget");
    expect(stdout).toMatch(
      /in (1[2-4] blocks \(about 2 h\)|(1[5-9]|20) blocks \(about 3 h\)): Eclair closes the channel by force/,
    );
    expect(stdout).toMatch(/close-on-offline-feerate-mismatch/);
    for (const id of ids)
      await eventually(`the metrics of ${id}`, async () =>
        /^eclair_ami_budget_blocks_left\{[^}]*\} (1[2-9]|20)$/m.test(await metrics(id)) ? true : undefined,
      );
    const { active } = await pairOf(nodes, ids);
    expect(await metrics(active)).toMatch(
      /^eclair_ami_budget_event_blocks_left\{event="eclair-closes",.*\} (1[2-9]|20)$/m,
    );
  });

  test("a switchover with too few blocks left is refused, and can be forced", async () => {
    const before = await pairOf(nodes, ids);
    await budgetAfter(await expireIn(4));
    await statusLine(/[0-4] blocks? \(about \d+ min\) until/);
    const refused = await command("switchover", "--json");
    expect(failureOf(refused)).toMatchObject({
      code: "budget.too-small",
      message: expect.stringMatching(
        /\d blocks? \(about \d+ min\) until Eclair closes channel aa… by force/,
      ) as string,
    });
    expect(await pairOf(nodes, ids)).toEqual(before);
    const forced = await command("switchover", "--ignore-budget");
    expect(forced.exitCode, forced.all).toBe(0);
    expect((await pairOf(nodes, ids)).active).toBe(before.standby);
  });

  test("a channel of an unknown form makes the budget unknown", async () => {
    const found = await budgetAfter(
      "update local.channels set json = json #- '{commitments,active,0,remoteCommit}' where channel_id = 'bb'",
    );
    expect(found).toMatchObject({ channels: 2, unreadable: 1 });
    await statusLine(/1 channel could not be read/);
    const refused = await command("switchover", "--json");
    expect(failureOf(refused)).toMatchObject({
      code: "budget.unknown",
      message: expect.stringMatching(/1 channel could not be read/) as string,
    });
    await budgetAfter("delete from local.channels");
  });

  test("while the database is down, the last budget is shown with its age", async () => {
    await budgetAfter(insertChannelSql("aa", "outgoing"));
    // The lab starts a server that RDS has not stopped.
    const DBInstanceIdentifier = nodes.name;
    await nodes.rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier }));
    await miner.mine(1);
    await statusLine(/Eclair closes channel aa….*; computed \d+ s ago, because .+$/);
    const current = await budget();
    expect(current.listed).toHaveLength(1);
    expect(current.problem).toBeDefined();
    const ages = await Promise.all(ids.map(async (id) => await metrics(id)));
    for (const text of ages) expect(text).toMatch(/^eclair_ami_budget_age_seconds\{/m);
    await nodes.rds.send(new StartDBInstanceCommand({ DBInstanceIdentifier }));
    await pairOf(nodes, ids);
  });
});
