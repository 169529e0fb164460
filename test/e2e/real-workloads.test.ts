import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { root } from "../../scripts/machine/paths.mjs";
import { eventually } from "./cli.ts";
import { TestMiner } from "./miner.ts";
import { cluster, type Cluster } from "./node.ts";
import { epochsOf, expectRenewals } from "./renewals.ts";

const state = inject("labState");
const real = inject("images").find(({ eclair }) => eclair === "real");

const channelCount = 51;
const htlcInfos = 1_000_000;
/** Longer than the 5 s for which Eclair waits for its lock on the lease. */
const slowSeconds = 10;
const settings = {
  "channel.max-block-processing-delay": "0 seconds",
  "channel.channel-open-limits.max-pending-channels-per-peer": 200,
  "router.channel-spent-splice-delay": 1,
  "db.revoked-htlc-info-cleaner.interval": "1 second",
  "db.revoked-htlc-info-cleaner.batch-size": 250_000,
};

type Channel = { channelId: string; state: string };

/** The long writes of the real Eclair, with a PostgreSQL that is slow, while Eclair renews its lease. */
describe.skipIf(real === undefined)("the real Eclair renews its lease", { timeout: 900_000 }, () => {
  const imageId = real?.id ?? "";
  let nodes: Cluster;
  let peer: Cluster;
  let id: string;
  let peerId: string;
  let miner: TestMiner;

  const channels = async () => (await nodes.api(id, "channels")) as Channel[];
  const normalChannels = async () => (await channels()).filter((channel) => channel.state === "NORMAL");
  const closedChannels = async () =>
    Number(await nodes.sql("select count(*) from local.channels where is_closed"));

  /** Makes each statement of a kind on a table slow, until the returned function is called. */
  const slowDown = async (table: string, event: string) => {
    await nodes.sql(`create or replace function public.slow() returns trigger language plpgsql as 'begin perform pg_sleep(${slowSeconds}); return null; end';
      create trigger slow before ${event} on ${table} for each statement execute function public.slow()`);
    return async () => {
      await nodes.sql(`drop trigger slow on ${table}`);
    };
  };

  const openChannel = async () => {
    const form = `nodeId=${peer.configuration.nodeId}&fundingSatoshis=200000&announceChannel=true&fundingFeeBudgetSatoshis=20000`;
    const answer = String(await nodes.api(id, "open", form));
    if (!answer.startsWith("created channel")) throw new Error(answer);
  };

  beforeAll(async () => {
    nodes = await cluster(state, "workloads", imageId);
    peer = await cluster(state, "workloads-peer", imageId);
    miner = new TestMiner(nodes.lab);
    [id, peerId] = await Promise.all([
      nodes.launch(imageId, { eclair: { settings } }),
      peer.launch(imageId, { eclair: { settings } }),
    ]);
    await Promise.all([nodes.waitUntilActive(id), peer.waitUntilActive(peerId)]);
    const address = (await peer.status(peerId))?.privateIp ?? "";
    await nodes.api(id, "connect", `uri=${peer.configuration.nodeId}@${address}:9735`);
    // Each channel spends a coin of its own: Eclair answers before the change of the funding transaction exists.
    await miner.fund((await nodes.api(id, "getnewaddress")) as string, channelCount);
    await miner.mineUntil("the coins to be confirmed", async () => {
      const { confirmed } = (await nodes.api(id, "onchainbalance")) as { confirmed: number };
      return confirmed > 0 ? true : undefined;
    });
    for (let count = 0; count < channelCount; count += 1) await openChannel();
    await miner.mineUntil("the channels", async () =>
      (await normalChannels()).length === channelCount ? true : undefined,
    );
    await miner.mineUntil("the announcements", async () =>
      Number(await nodes.sql("select count(*) from network.public_channels")) === channelCount
        ? true
        : undefined,
    );
  });
  afterAll(async () => {
    await Promise.all([nodes.terminate(id), peer.terminate(peerId)]);
  });

  test("while it removes a closed channel from the network for ten seconds", async () => {
    const [channel] = await normalChannels();
    const restore = await slowDown("network.public_channels", "delete");
    await expectRenewals(nodes, async () => {
      await nodes.api(id, "close", `channelId=${channel?.channelId}`);
      await miner.mineUntil("the removal", async () =>
        Number(await nodes.sql("select count(*) from network.public_channels")) < channelCount
          ? true
          : undefined,
      );
    });
    await restore();
  });

  test("while fifty channels are closed at once", async () => {
    await miner.mineUntil("the first channel to be closed", async () =>
      (await closedChannels()) === 1 ? true : undefined,
    );
    const ids = (await normalChannels()).map(({ channelId }) => channelId);
    expect(ids).toHaveLength(50);
    await expectRenewals(nodes, async () => {
      await nodes.api(id, "close", `channelIds=${ids.join(",")}`);
      await miner.mineUntil("all channels to be closed", async () =>
        (await closedChannels()) === channelCount ? true : undefined,
      );
    });
  });

  test("while it migrates a schema for ten seconds", async () => {
    await nodes.sql(`update versions set version = 12 where db_name = 'audit'; drop index audit.relayed_channel_id_idx;
      create function public.slow_ddl() returns event_trigger language plpgsql as
        'begin if session_user = ''eclair'' then perform pg_sleep(${slowSeconds}); end if; end';
      create event trigger slow_ddl on ddl_command_start when tag in ('CREATE INDEX') execute function public.slow_ddl()`);
    const before = await epochsOf(nodes);
    await nodes.inGuest(id, "pkill -KILL -u eclair");
    await eventually("the next Eclair to hold the lease", async () =>
      (await epochsOf(nodes)) > before ? true : undefined,
    );
    await expectRenewals(nodes, async () => {
      await eventually("the migration", async () =>
        (await nodes.sql("select version from versions where db_name = 'audit'")) === "13" ? true : undefined,
      );
      await nodes.waitUntilActive(id);
    });
    expect(await epochsOf(nodes)).toBe(before + 1);
    await nodes.sql("drop event trigger slow_ddl");
  });

  const addHtlcInfos = () =>
    // The closed channels wait for the same removal, one after another.
    nodes.sql(`truncate local.htlc_infos_to_remove;
      insert into local.htlc_infos select c.channel_id, g, md5(g::text), 500000
        from (select channel_id from local.channels limit 1) c, generate_series(1, ${htlcInfos}) g;
      insert into local.htlc_infos_to_remove select channel_id, ${htlcInfos + 1} from local.channels limit 1
        on conflict (channel_id) do update set before_commitment_number = excluded.before_commitment_number`);

  test("while it deletes a million rows of HTLC infos", async () => {
    const restore = await slowDown("local.htlc_infos", "delete");
    await addHtlcInfos();
    await expectRenewals(nodes, () =>
      eventually(
        "the deletion",
        async () => ((await nodes.sql("select count(*) from local.htlc_infos")) === "0" ? true : undefined),
        300,
      ),
    );
    await restore();
  });

  test("but not with the fence of version 3, which these tests detect", async () => {
    const epochs = await epochsOf(nodes);
    const owner = await nodes.sql("select datdba::regrole from pg_database where datname = 'eclair'");
    const fence = readFileSync(join(root, "test/support/fence-3.sql"), "utf8");
    await nodes.sql(`set role "${owner}"; begin; ${fence}; commit`);
    await nodes.sql(
      "create trigger eclair_ami_holder before delete on local.htlc_infos for each statement execute function eclair_ami.require_holder()",
    );
    await slowDown("local.htlc_infos", "delete");
    await addHtlcInfos();
    await eventually("Eclair to end", async () => {
      const { stdout } = await nodes.inGuest(id, "journalctl --no-pager --output=cat --unit='eclair@*'");
      return stdout.includes("db locking error is a fatal error") ? true : undefined;
    });
    // Another Eclair takes the lease.
    await expect.poll(() => epochsOf(nodes), { timeout: 120_000, interval: 1_000 }).toBeGreaterThan(epochs);
  });
});
