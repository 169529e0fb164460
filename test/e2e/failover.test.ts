import { GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { failover, killEclair, lastHolder } from "../../scripts/lab/cluster/failover.ts";
import { cli, eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";

const state = inject("labState");

describe.each(inject("images"))("two instances of one node ($eclair)", ({ eclair, id: imageId }) => {
  let nodes: Cluster;
  let ids: readonly string[] = [];

  beforeAll(async () => {
    nodes = await cluster(state, `pair-${eclair}`, imageId);
    const first = await nodes.launch(imageId);
    await nodes.active(first);
    ids = [first, await nodes.launch(imageId)];
  });
  afterAll(async () => {
    await Promise.all(ids.map((id) => nodes.terminate(id)));
  });

  const roleOf = async (id: string) => (await nodes.status(id))?.state?.role;

  const pair = () => pairOf(nodes, ids);

  const holder = () => nodes.sql("select instance from lease where expires_at > now()");
  const epochs = () =>
    nodes.sql(
      "select instance, client_address, instance_id, image_id from eclair_ami.epoch order by generation",
    );

  test("the second one is a ready standby: armed, and held before its first connection", async () => {
    const { active, standby } = await pair();
    expect([active, standby]).toEqual(ids);
    const found = await nodes.status(standby);
    expect(found?.state).toMatchObject({ ready: true, active: false, eclair: { unit: "stopped" } });
    const address = found?.address ?? "";
    const sessions = await nodes.sql(
      `select count(*) from pg_stat_activity where application_name = 'eclair' and client_addr = '${address}'`,
    );
    expect(sessions).toBe("0");
  });

  test("a killed Eclair costs no lease: the standby takes over, and the crashed host becomes the standby", async () => {
    const both = await pair();
    const { active, standby } = both;
    const before = await holder();
    const milliseconds = await failover(nodes.lab, both, killEclair);
    console.log(`kill -9 of Eclair → the other host listens: ${milliseconds} ms`);
    // Without the release of the dead one's lease it would take ten seconds at least.
    expect(milliseconds).toBeLessThan(8_000);
    const after = await pair();
    expect(after).toEqual({ active: standby, standby: active });
    expect(await holder()).not.toBe(before);
    const now = await nodes.status(standby);
    expect(await epochs()).toMatch(
      new RegExp(`${await holder()}\\|${now?.address ?? ""}\\|${standby}\\|${imageId}$`),
    );
  });

  test("`switchover` moves the node on purpose, and tells the outage", async () => {
    const { active, standby } = await pair();
    const before = await nodes.api(active, "createinvoice", "description=switchover&amountMsat=7000");
    const { paymentHash } = before as { paymentHash: string };
    const flags = ["--state", state, "--cluster", nodes.name, "--json"];
    const none = await cli(["switchover", ...flags, "--to", "i-0123456789abcdef0"]);
    expect(JSON.parse(none.stdout)).toMatchObject({ code: "switchover.refused" });

    const done = await cli(["switchover", ...flags, "--to", standby]);
    expect(done.exitCode, done.all).toBe(0);
    const { milliseconds, ...result } = JSON.parse(done.stdout) as { milliseconds: number };
    expect(result).toMatchObject({ from: active, to: standby, step: "serving", by: "lab" });
    console.log(`switchover: ${milliseconds} ms`);
    expect(milliseconds).toBeLessThan(8_000);
    expect(await pair()).toEqual({ active: standby, standby: active });
    expect(await nodes.api(standby, "getinvoice", `paymentHash=${paymentHash}`)).toMatchObject({
      paymentHash,
    });
  });

  test("a switchover that nobody takes up goes back", async () => {
    const { active, standby } = await pair();
    await nodes.inGuest(standby, "systemctl stop eclair-supervisor");
    const flags = ["--state", state, "--cluster", nodes.name, "--json"];
    const refused = await eventually("the stopped one to be refused", async () => {
      const { stdout } = await cli(["switchover", ...flags]);
      const said = JSON.parse(stdout) as { code: string };
      return said.code === "switchover.refused" ? said : undefined;
    });
    expect(refused).toMatchObject({ cause: expect.stringMatching(/its role is stopping|silent for/) });
    const back = await cli(["switchover", ...flags, "--force"]);
    expect(JSON.parse(back.stdout)).toMatchObject({ code: "switchover.back" });
    await nodes.inGuest(standby, "systemctl start eclair-supervisor");
    expect(await pair()).toEqual({ active, standby });
  });

  test("an Eclair that is stopped is dead before its lease has run out", async () => {
    const both = await pair();
    const { active, standby } = both;
    const milliseconds = await failover(nodes.lab, both, "pkill -STOP -u eclair");
    console.log(`Eclair stopped → the other host listens: ${milliseconds} ms`);
    const log = await nodes.inGuest(active, "journalctl --no-pager --output=cat --unit=eclair-supervisor");
    expect(log.stdout).toMatch(/"eclairAmi":"watchdog"/);
    expect(await pair()).toEqual({ active: standby, standby: active });
  });

  test("a supervisor that is killed takes its Eclair with it, and gives its lease back", async () => {
    const both = await pair();
    const { active, standby } = both;
    const milliseconds = await failover(nodes.lab, both, "systemctl kill --signal=SIGKILL eclair-supervisor");
    console.log(`kill -9 of the supervisor → the other host listens: ${milliseconds} ms`);
    expect(milliseconds).toBeLessThan(8_000);
    expect(await pair()).toEqual({ active: standby, standby: active });
  });

  test("a host that is held whole is superseded: when it goes on, it can write nothing", async () => {
    // systemd would end a supervisor that is silent; what a unit's start has set stays until its next.
    const before = await pair();
    await nodes.inGuest(
      before.standby,
      `mkdir -p /run/systemd/system/eclair-supervisor.service.d
       printf '[Service]\\nWatchdogSec=0\\n' > /run/systemd/system/eclair-supervisor.service.d/99-held.conf
       systemctl daemon-reload; systemctl restart eclair-supervisor`,
    );
    await failover(nodes.lab, await pair(), killEclair);
    const both = await pair();
    const { active, standby } = both;
    const held = await holder();
    const milliseconds = await failover(
      nodes.lab,
      both,
      "pkill -STOP -u eclair; systemctl kill --signal=SIGSTOP eclair-supervisor",
    );
    console.log(`host held → the other host listens: ${milliseconds} ms`);
    await eventually("the other one to be active", async () =>
      (await roleOf(standby)) === "active" ? true : undefined,
    );
    // It releases its lease, so that plain Eclair would take it again with what it remembers.
    await nodes.inGuest(standby, "systemctl stop eclair-supervisor");
    expect(await holder()).toBe("");
    await nodes.inGuest(
      active,
      `pkill -CONT -u eclair; systemctl kill --signal=SIGCONT eclair-supervisor
       rm /run/systemd/system/eclair-supervisor.service.d/99-held.conf; systemctl daemon-reload`,
    );
    // It comes back as another Eclair, which knows what the other one did.
    const address = (await nodes.status(active))?.address;
    await eventually("the first host to hold the lease again", async () =>
      (await lastHolder(nodes.sql)) === address ? true : undefined,
    );
    expect((await epochs()).split("\n").filter((line) => line.startsWith(held))).toHaveLength(1);
    await nodes.inGuest(standby, "systemctl start eclair-supervisor");
    await pair();
  });

  test("a standby boots again with a secret that has changed, and takes over with it", async () => {
    const both = await pair();
    const { active, standby } = both;
    const bootOf = async (id: string) => (await nodes.status(id))?.state?.boot.startedAt;
    const bootsAgain = async (id: string, before: string | undefined) =>
      await eventually(
        `${id} to boot again`,
        async () => {
          const now = await bootOf(id);
          return now !== undefined && now !== before ? true : undefined;
        },
        120,
      );
    const first = [await bootOf(active), await bootOf(standby)];
    const SecretId = `${nodes.name}/database`;
    const { SecretString = "" } = await nodes.secrets.send(new GetSecretValueCommand({ SecretId }));
    const login = JSON.parse(SecretString) as { username: string };
    const password = randomBytes(16).toString("hex");
    await nodes.sql(`alter role "${login.username}" password '${password}'`);
    await nodes.secrets.send(
      new PutSecretValueCommand({ SecretId, SecretString: JSON.stringify({ ...login, password }) }),
    );
    await bootsAgain(standby, first[1]);
    expect(await pair()).toEqual(both);
    expect(await bootOf(active)).toBe(first[0]);
    // What a look could not find out, such as while its host was held, is told there too; and a boot whose first try
    // fails for want of an answer is followed by another.
    const log = await nodes.inGuest(
      standby,
      `journalctl --no-pager --output=cat --unit=eclair-supervisor --grep='recheck.*boot again'`,
    );
    const bootAgain = '{"eclairAmi":"recheck","changed":["secrets.json","eclair.conf"],"does":"boot again"}';
    expect(new Set(log.stdout.split("\n"))).toEqual(new Set([bootAgain]));
    expect(await armedSince(standby, bootAgain)).toEqual({ least: 1, renewed: 1 });
    expect(await failover(nodes.lab, both, killEclair)).toBeLessThan(8_000);
    await bootsAgain(active, first[0]);
    expect(await pair()).toEqual({ active: standby, standby: active });
  });

  /** How many Eclairs were armed at the least since a line was logged, when one was, and how often means were renewed. */
  async function armedSince(id: string, line: string): Promise<{ least: number; renewed: number }> {
    const log = await nodes.inGuest(id, "journalctl --no-pager --output=cat --unit=eclair-supervisor");
    const lines = log.stdout.split("\n");
    const events = lines
      .slice(lines.lastIndexOf(line))
      .map((text) => /^{"eclairAmi":"(armed|disarmed|renewed)"/.exec(text)?.[1]);
    let armed = 1;
    let least = armed;
    for (const event of events) {
      armed += event === "armed" ? 1 : event === "disarmed" ? -1 : 0;
      least = Math.min(least, armed);
    }
    return { least, renewed: events.filter((event) => event === "renewed").length };
  }

  test("the runtime role writes Eclair's tables from the holder's host alone", async () => {
    await pair();
    const fenced = await nodes.sql(
      `select count(*) filter (where t.tgname is null) from pg_class c join pg_namespace n on n.oid = c.relnamespace
       left join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'eclair_ami_holder'
       where n.nspname in ('local', 'network', 'payments', 'audit', 'liquidity') and c.relkind = 'r'`,
    );
    expect(fenced).toBe("0");
    const refused = await nodes
      .sql("set session authorization eclair; delete from audit.sent where false")
      .catch((error: unknown) => String((error as { stderr?: string }).stderr));
    expect(refused).toMatch(/the holder of the lease is at/);
    // Whoever looks after the database may.
    await nodes.sql("delete from audit.sent where false");
  });
});
