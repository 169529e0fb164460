import { GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { failover, killEclair, lastHolderAddress } from "../../scripts/lab-cluster/failover.ts";
import { cli, eventually, failureOf } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";
import { asRuntimeRole } from "./psql.ts";
import { whileReading } from "./renewals.ts";

const state = inject("labState");
/** Eclair renews the lease every 5 s, so a takeover that waits for the end of the lease takes at least 85 s. */
const leaseSeconds = 90;
const releasedMilliseconds = 45_000;

describe.each(inject("images"))("two instances of one node ($eclair)", ({ eclair, id: imageId }) => {
  let nodes: Cluster;
  let ids: readonly string[] = [];

  beforeAll(async () => {
    nodes = await cluster(state, `pair-${eclair}`, imageId);
    const changes = { database: { ...nodes.configuration.database, leaseSeconds } };
    const first = await nodes.launch(imageId, changes);
    await nodes.waitUntilActive(first);
    ids = [first, await nodes.launch(imageId, changes)];
  });
  afterAll(async () => {
    await Promise.all(ids.map((id) => nodes.terminate(id)));
  });

  const roleOf = async (id: string) => (await nodes.status(id))?.report?.role;

  const currentPair = () => pairOf(nodes, ids);

  const holder = () => nodes.sql("select instance from lease where expires_at > now()");
  const epochs = () =>
    nodes.sql(
      "select eclair_instance_id, client_address, instance_id, image_id from eclair_ami.epoch order by generation",
    );

  test("the second instance is a ready standby: its Eclair is armed, and has no connection to the database", async () => {
    const { active, standby } = await currentPair();
    expect([active, standby]).toEqual(ids);
    const status = await nodes.status(standby);
    expect(status?.report).toMatchObject({ ready: true, active: false, eclair: { state: "stopped" } });
    const addresses = await nodes.sql(
      "select distinct client_addr from pg_stat_activity where split_part(application_name, '/', 1) = 'eclair'",
    );
    expect(addresses).toBe((await nodes.status(active))?.privateIp);
  });

  test("a claim is refused when the holder's host has used the database since its silence was measured", async () => {
    const { active, standby } = await currentPair();
    const asStandby = (sql: string) => asRuntimeRole(nodes, standby, sql);
    await eventually("the holder to acknowledge the claimant", async () =>
      (await nodes.sql(
        `select c.acknowledged_generation = p.generation from eclair_ami.claimant c, eclair_ami.progress p where c.instance_id = '${standby}'`,
      )) === "t"
        ? true
        : undefined,
    );
    const address = (await nodes.status(active))?.privateIp ?? "";
    // Null while a statement of the holder's host runs.
    const sessions = await eventually("the sessions of the holder's host", async () => {
      const text = await asStandby(`select eclair_ami.sessions_at('${address}')`);
      return text === "" ? undefined : text;
    });
    const before = await epochs();
    // The supervisor of the holder's host reads the lease twenty times a second.
    const claimed = await asStandby(
      `select pg_sleep(0.5); select eclair_ami.claim_lease('${await holder()}', (select generation from eclair_ami.progress), '${sessions}')`,
    );
    expect(claimed).toBe("f");
    expect(await epochs()).toBe(before);
    expect(await currentPair()).toEqual({ active, standby });
  });

  test("when Eclair is killed, the standby takes over without waiting for the lease, and the host becomes the standby", async () => {
    const pair = await currentPair();
    const { active, standby } = pair;
    const before = await holder();
    const milliseconds = await failover(nodes.lab, pair, killEclair);
    console.log(`kill -9 of Eclair → the other host listens: ${milliseconds} ms`);
    // If the supervisor did not release the lease of the dead Eclair, the takeover would wait for the end of the lease.
    expect(milliseconds).toBeLessThan(releasedMilliseconds);
    const after = await currentPair();
    expect(after).toEqual({ active: standby, standby: active });
    expect(await holder()).not.toBe(before);
    const status = await nodes.status(standby);
    expect(await epochs()).toMatch(
      new RegExp(`${await holder()}\\|${status?.privateIp ?? ""}\\|${standby}\\|${imageId}$`),
    );
  });

  test("`switchover` moves the node, and prints the outage", async () => {
    const { active, standby } = await currentPair();
    const before = await nodes.api(active, "createinvoice", "description=switchover&amountMsat=7000");
    const { paymentHash } = before as { paymentHash: string };
    const flags = ["--state", state, "--cluster", nodes.name, "--json"];
    const unknown = await cli(["switchover", ...flags, "--to", "i-0123456789abcdef0"]);
    expect(failureOf(unknown)).toMatchObject({ code: "switchover.refused" });

    const run = await cli(["switchover", ...flags, "--to", standby]);
    expect(run.exitCode, run.all).toBe(0);
    const { outageMs, ...result } = JSON.parse(run.stdout) as { outageMs: number };
    expect(result).toMatchObject({
      fromInstanceId: active,
      toInstanceId: standby,
      step: "serving",
      requestedBy: "lab",
    });
    console.log(`switchover: ${outageMs} ms`);
    expect(outageMs).toBeLessThan(releasedMilliseconds);
    expect(await currentPair()).toEqual({ active: standby, standby: active });
    expect(await nodes.api(standby, "getinvoice", `paymentHash=${paymentHash}`)).toMatchObject({
      paymentHash,
    });
  });

  test("a switchover to an instance that does not take over is reverted", async () => {
    const { active, standby } = await currentPair();
    await nodes.inGuest(standby, "systemctl stop eclair-supervisor");
    const flags = ["--state", state, "--cluster", nodes.name, "--json"];
    const refused = await eventually("the stopped standby to be refused", async () => {
      const failure = failureOf(await cli(["switchover", ...flags]));
      return failure.code === "switchover.refused" ? failure : undefined;
    });
    expect(refused.message).toMatch(/its role is stopping|its last report is/);
    const reverted = await cli(["switchover", ...flags, "--force"]);
    expect(failureOf(reverted)).toMatchObject({ code: "switchover.reverted" });
    await nodes.inGuest(standby, "systemctl start eclair-supervisor");
    expect(await currentPair()).toEqual({ active, standby });
  });

  test("a frozen Eclair is killed before its lease expires", async () => {
    const pair = await currentPair();
    const { active, standby } = pair;
    const milliseconds = await failover(nodes.lab, pair, "pkill -STOP -u eclair");
    console.log(`Eclair frozen → the other host listens: ${milliseconds} ms`);
    const log = await nodes.inGuest(active, "journalctl --no-pager --output=cat --unit=eclair-supervisor");
    expect(log.stdout).toMatch(/"event":"eclair.killed"/);
    expect(await currentPair()).toEqual({ active: standby, standby: active });
  });

  test("when the supervisor is killed, its Eclair ends and the lease is released", async () => {
    const pair = await currentPair();
    const { active, standby } = pair;
    const milliseconds = await failover(nodes.lab, pair, "systemctl kill --signal=SIGKILL eclair-supervisor");
    console.log(`kill -9 of the supervisor → the other host listens: ${milliseconds} ms`);
    expect(milliseconds).toBeLessThan(releasedMilliseconds);
    expect(await currentPair()).toEqual({ active: standby, standby: active });
  });

  test("a frozen host is superseded, and can write nothing when it continues", async () => {
    // Without this change, systemd's watchdog would kill the frozen supervisor.
    const before = await currentPair();
    await nodes.inGuest(
      before.standby,
      `mkdir -p /run/systemd/system/eclair-supervisor.service.d
       printf '[Service]\\nWatchdogSec=0\\n' > /run/systemd/system/eclair-supervisor.service.d/99-held.conf
       systemctl daemon-reload; systemctl restart eclair-supervisor`,
    );
    await failover(nodes.lab, await currentPair(), killEclair);
    const pair = await currentPair();
    const { active, standby } = pair;
    const frozenHolder = await holder();
    const milliseconds = await failover(
      nodes.lab,
      pair,
      "pkill -STOP -u eclair; systemctl kill --signal=SIGSTOP eclair-supervisor",
    );
    console.log(`host frozen → the other host listens: ${milliseconds} ms`);
    await eventually("the other instance to be active", async () =>
      (await roleOf(standby)) === "active" ? true : undefined,
    );
    // The lease is free now. Without the fence, the frozen Eclair would take the lease again with its outdated memory.
    await nodes.inGuest(standby, "systemctl stop eclair-supervisor");
    expect(await holder()).toBe("");
    const address = (await nodes.status(active))?.privateIp;
    const holders = new Set<string>();
    await whileReading(
      async () => void holders.add(await holder()),
      async () => {
        await nodes.inGuest(
          active,
          `pkill -CONT -u eclair; systemctl kill --signal=SIGCONT eclair-supervisor
           rm /run/systemd/system/eclair-supervisor.service.d/99-held.conf; systemctl daemon-reload`,
        );
        // The first host starts a new Eclair, which reads the state that the other host wrote.
        await eventually("the first host to hold the lease again", async () =>
          (await lastHolderAddress(nodes.sql)) === address ? true : undefined,
        );
      },
    );
    expect(frozenHolder).not.toBe("");
    expect([...holders]).not.toContain(frozenHolder);
    await nodes.inGuest(standby, "systemctl start eclair-supervisor");
    await currentPair();
  });

  test("a standby boots again after a secret changed, and takes over with the new secret", async () => {
    const pair = await currentPair();
    const { active, standby } = pair;
    const bootOf = async (id: string) => (await nodes.status(id))?.report?.boot.startedAt;
    const waitForBoot = async (id: string, before: string | undefined) =>
      await eventually(`${id} to boot again`, async () => {
        const now = await bootOf(id);
        return now !== undefined && now !== before ? true : undefined;
      });
    const bootsBefore = [await bootOf(active), await bootOf(standby)];
    const SecretId = `${nodes.name}/database`;
    const { SecretString = "" } = await nodes.secrets.send(new GetSecretValueCommand({ SecretId }));
    const login = JSON.parse(SecretString) as { username: string };
    const password = randomBytes(16).toString("hex");
    await nodes.sql(`alter role "${login.username}" password '${password}'`);
    await nodes.secrets.send(
      new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify({ ...login, password }) }),
    );
    await waitForBoot(standby, bootsBefore[1]);
    expect(await currentPair()).toEqual(pair);
    expect(await bootOf(active)).toBe(bootsBefore[0]);
    // The log can contain failed comparisons, and several boots when the first boot failed.
    const log = await nodes.inGuest(
      standby,
      `journalctl --no-pager --output=cat --unit=eclair-supervisor --grep='drift.*boot again'`,
    );
    const driftLine =
      '{"level":"info","event":"drift.detected","changed":["secrets.json","eclair.conf"],"action":"boot again"}';
    expect(new Set(log.stdout.split("\n"))).toEqual(new Set([driftLine]));
    expect(await armedSince(standby, driftLine)).toEqual({ minimum: 1, reloads: 1 });
    expect(await failover(nodes.lab, pair, killEclair)).toBeLessThan(releasedMilliseconds);
    await waitForBoot(active, bootsBefore[0]);
    expect(await currentPair()).toEqual({ active: standby, standby: active });
  });

  function eventIn(text: string): { event?: string; slot?: string } {
    return text.startsWith("{") ? (JSON.parse(text) as { event?: string; slot?: string }) : {};
  }

  /** Returns the smallest number of armed Eclairs since a log line, and how often the supervisor reloaded its files. */
  async function armedSince(id: string, line: string): Promise<{ minimum: number; reloads: number }> {
    const log = await nodes.inGuest(id, "journalctl --no-pager --output=cat --unit=eclair-supervisor");
    const lines = log.stdout.split("\n");
    // Another supervisor has armed nothing.
    const started = lines.findLastIndex((text) => text.includes("the supervisor is stopping")) + 1;
    const from = lines.lastIndexOf(line);
    const armed = new Set<string>();
    let minimum = Infinity;
    let reloads = 0;
    for (const [index, text] of lines.entries()) {
      if (index < started) continue;
      const { event = "", slot = "" } = eventIn(text);
      if (event === "eclair.armed") armed.add(slot);
      if (event === "eclair.disarmed") armed.delete(slot);
      if (index < from) continue;
      minimum = Math.min(minimum, armed.size);
      if (event === "context.reloaded") reloads += 1;
    }
    return { minimum, reloads };
  }

  test("the runtime role can write the tables that Eclair writes without a check only from the host that holds the lease", async () => {
    await currentPair();
    const unfencedTables = await nodes.sql(
      `select count(*) filter (where t.tgname is null) from pg_class c join pg_namespace n on n.oid = c.relnamespace
       left join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'eclair_ami_holder'
       where n.nspname in ('network', 'audit', 'liquidity') and c.relkind = 'r'`,
    );
    expect(unfencedTables).toBe("0");
    const refused = await nodes
      .sql("set session authorization eclair; delete from audit.sent where false")
      .catch((error: unknown) => String((error as { stderr?: string }).stderr));
    expect(refused).toMatch(/the holder of the lease is at/);
    // An administrator of the database can write from any host.
    await nodes.sql("delete from audit.sent where false");
  });
});
