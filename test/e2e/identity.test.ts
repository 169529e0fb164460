import { StartDBInstanceCommand, StopDBInstanceCommand } from "@aws-sdk/client-rds";
import { CreateSecretCommand, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { oursSql } from "../../bootstrap/database/state.ts";
import { isBehind, type ClusterRecord } from "../../bootstrap/record/record.ts";
import { setFaults } from "../../scripts/lab/front/faults.ts";
import { readSecrets } from "../../scripts/policies/statements.ts";
import { bootsAgain } from "./boots-again.ts";
import { cli, eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
const [image] = inject("images");
const imageId = image?.id ?? "";

let nodes: Cluster;
let id: string;
let again: ReturnType<typeof bootsAgain>;

beforeAll(async () => {
  nodes = await cluster(state, "identity", imageId);
  id = await nodes.launch(imageId);
  again = bootsAgain(nodes, id);
  await nodes.active(id);
});
afterEach(() => setFaults(nodes.lab, nodes.name, []));
afterAll(() => nodes.terminate(id));

/** What the supervisor says of this instance right now. */
async function role(): Promise<string> {
  return (await nodes.inGuest(id, "eclair-bootstrap status | sed -n 's/^role: //p'")).stdout;
}

async function roleBecomes(pattern: RegExp): Promise<void> {
  let last = "";
  await eventually(`the role to be ${pattern}`, async () => {
    last = await role();
    return pattern.test(last) ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; it was: ${last}`, { cause: error });
  });
}

describe("the record of an active node", () => {
  test("says who the node is, what ran last, and follows generation and counter of the database", async () => {
    const first = await eventually("the record to be mirrored", async () => {
      const record = await nodes.table.record();
      return record?.eclair === undefined ? undefined : record;
    });
    expect(first).toMatchObject({
      node: { nodeId: nodes.configuration.nodeId, chain: "regtest" },
      database: { host: nodes.configuration.database.host, name: "eclair" },
      eclair: { version: "0.13.0", schemas: { channels: 11, audit: 13 } },
      progress: { generation: 1 },
    });
    const later = await eventually("the counter to be raised", async () => {
      const record = await nodes.table.record();
      return record !== undefined && record.progress.counter > first.progress.counter ? record : undefined;
    });
    const [generation, counter] = (
      await nodes.sql("select generation, counter from eclair_ami.progress")
    ).split("|");
    expect(later.progress.generation).toBe(Number(generation));
    expect(later.progress.counter).toBeLessThanOrEqual(Number(counter));
  });

  test("fingerprints are no digests that anybody else would make", async () => {
    const record = await nodes.table.record();
    const { SecretString = "" } = await nodes.secrets.send(
      new GetSecretValueCommand({ SecretId: "identity/seeds" }),
    );
    expect(record?.node.channelSeed).toMatch(/^[0-9a-f]{64}$/);
    expect(SecretString).not.toContain(record?.node.channelSeed);
  });

  test("that can't be written: the node goes on, says so, and mirrors again when it is back", async () => {
    const until = Date.now() + 60_000;
    const fault = { service: "api", code: "InternalServerError", status: 500, until } as const;
    setFaults(nodes.lab, nodes.name, [{ ...fault, action: "UpdateItem" }]);
    await eventually("the loss to be seen", async () => {
      const { stdout } = await nodes.inGuest(id, "eclair-bootstrap status");
      return /^record: .*can't be used/m.test(stdout) ? true : undefined;
    });
    expect(await role()).toMatch(/^active/);
    setFaults(nodes.lab, nodes.name, [{ ...fault, action: "Query" }]);
    const status = await cli(["status", "--state", state, "--cluster", "identity"]);
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toContain(id);
    expect(status.stderr).toMatch(/^the table eclair-ami can't be read: /m);
    const moved = await cli(["switchover", "--state", state, "--cluster", "identity"]);
    expect(moved.stderr).toMatch(/\(aws\.unreachable\)$/m);
    setFaults(nodes.lab, nodes.name, []);
    const before = (await nodes.table.record())?.progress.counter ?? 0;
    await eventually("the record to be mirrored again", async () =>
      ((await nodes.table.record())?.progress.counter ?? 0) > before ? true : undefined,
    );
  });
});

test("a record that is gone: the node goes on, says so, and mirrors again when it is back", async () => {
  const record = await nodes.forgeRecord(() => undefined);
  await eventually("the loss to be seen", async () => {
    const { stdout } = await nodes.inGuest(id, "eclair-bootstrap status");
    return /^record: the cluster record is gone/m.test(stdout) ? true : undefined;
  });
  expect(await role()).toMatch(/^active/);
  await eventually("`status` to show it", async () => {
    const { stdout } = await cli(["status", "--state", state, "--cluster", "identity"]);
    return stdout.includes("the cluster record is gone") ? true : undefined;
  });
  await nodes.restoreRecord(record);
  await eventually("the record to be mirrored again", async () =>
    ((await nodes.table.record())?.progress.counter ?? 0) > record.progress.counter ? true : undefined,
  );
});

describe("the set-up", () => {
  test("`init` again changes nothing, and says so", async () => {
    const run = await nodes.setUp(["init"], imageId, "--make-secrets");
    expect(run.exitCode, run.all).toBe(0);
    expect(run.stdout).toMatch(/^changed +nothing: all of it is there$/m);
    expect(run.stdout).toContain(nodes.configuration.nodeId);
  });

  test("a takeover's look at the database is no more to PostgreSQL than three rows", async () => {
    const plan = await nodes.sql(`explain (format json) ${oursSql}`);
    const [{ Plan }] = JSON.parse(plan) as [{ Plan: { "Total Cost": number } }];
    // From 100,000 on it would compile the query first.
    expect(Plan["Total Cost"]).toBeLessThan(1_000);
  });

  test("`verify` finds all in order, and a fence that was switched off", async () => {
    const good = await nodes.setUp(["verify"], imageId);
    expect(good.exitCode, good.all).toBe(0);
    await nodes.sql("alter table lease disable trigger eclair_ami_fence");
    const bad = await nodes.setUp(["verify"], imageId, "--json");
    expect(bad.exitCode).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      code: "fence.open",
      cause: expect.stringMatching(/^the trigger on lease is missing or switched off$/) as string,
    });
  });

  test("`init` mends a fence, and brings an old one to the image's version", async () => {
    const mended = await nodes.setUp(["init"], imageId);
    expect(mended.stdout).toMatch(/^made +fence/m);
    await nodes.sql("alter table audit.sent disable trigger eclair_ami_holder");
    await nodes.sql("drop trigger eclair_ami_holder on audit.received");
    const open = await nodes.setUp(["verify"], imageId, "--json");
    const { code, cause } = JSON.parse(open.stdout) as { readonly code: string; readonly cause: string };
    expect(code).toBe("fence.open");
    expect(cause.split("; ").toSorted()).toEqual([
      "the trigger on audit.received is missing or switched off",
      "the trigger on audit.sent is missing or switched off",
    ]);
    const closed = await nodes.setUp(["init"], imageId);
    expect(closed.stdout).toMatch(/^made +fence before Eclair's tables$/m);
    await nodes.sql("update eclair_ami.fence set version = 0; drop function eclair_ami.raise_counter(text)");
    const raised = await nodes.setUp(["init"], imageId);
    expect(raised.stdout, raised.all).toMatch(/^made +fence, from version 0$/m);
    expect(await nodes.sql("select version from eclair_ami.fence")).toBe("2");
    expect((await nodes.setUp(["verify"], imageId)).exitCode).toBe(0);
  });

  test("an image that is older than the fence is refused", async () => {
    await nodes.sql("update eclair_ami.fence set version = 99");
    const run = await nodes.setUp(["init"], imageId, "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({ code: "fence.newer" });
    await nodes.sql("update eclair_ami.fence set version = 2");
  });

  test("a database that Eclair has used, and a node's record that is lost, are refused", async () => {
    const record = await nodes.forgeRecord(() => undefined);
    const run = await nodes.setUp(["init"], imageId, "--json");
    expect(JSON.parse(run.stdout)).toMatchObject({ code: "record.lost" });
    await nodes.restoreRecord(record);
  });
});

describe("the runtime role", () => {
  /** Runs SQL as Eclair's role. */
  const asEclair = (sql: string) =>
    nodes.sql(`set session authorization eclair; ${sql}`).then(
      () => "done",
      (error: unknown) => String((error as { stderr?: string }).stderr),
    );

  test.each([
    "drop trigger eclair_ami_fence on lease",
    "alter table lease disable trigger eclair_ami_fence",
    "alter table lease owner to eclair",
    "drop table lease",
    "truncate lease",
    "delete from lease",
    "create trigger mine before update on lease for each row execute function suppress_redundant_updates_trigger()",
    "drop schema eclair_ami cascade",
    "create or replace function eclair_ami.fence() returns trigger language plpgsql as 'begin return new; end'",
    "update eclair_ami.progress set generation = 0",
    "delete from eclair_ami.epoch",
    "insert into eclair_ami.epoch values ('mine', 99)",
    "update eclair_ami.binding set node_id = ''",
    "update eclair_ami.fence set version = 0",
    "drop schema public cascade",
    "drop database eclair",
    "set session_replication_role = replica",
    "create role another superuser",
  ])("can't: %s", async (sql) => {
    expect(await asEclair(sql)).toMatch(
      /must be owner|permission denied|must be superuser|only the table owner/,
    );
  });

  test("can do what Eclair and the supervisor do", async () => {
    expect(
      await asEclair(
        "begin; lock table lease in access exclusive mode; update lease set expires_at = expires_at where id = 1; rollback; create schema if not exists local; select * from eclair_ami.binding; select eclair_ami.raise_counter('nobody')",
      ),
    ).toBe("done");
    const owned = await nodes.sql(
      "select distinct nspname from pg_namespace where nspowner = 'eclair'::regrole order by 1",
    );
    expect(owned.split("\n")).toEqual(["audit", "liquidity", "local", "network", "payments"]);
  });
});

test("a holder that was superseded can never hold the lease again, and the history says who did", async () => {
  const generation = Number(await nodes.sql("select generation from eclair_ami.progress"));
  const took = await nodes
    .sql(
      `begin; update lease set instance = 'another'; update lease set instance = (select instance from eclair_ami.epoch where generation = ${generation}); commit`,
    )
    .catch((error: unknown) => String((error as { stderr?: string }).stderr));
  expect(took).toMatch(/was superseded by another and can never hold the lease again/);
  const history = await nodes.sql(
    "select generation, client_address is not null from eclair_ami.epoch order by 1",
  );
  expect(history.split("\n")).toEqual(Array.from({ length: generation }, (_one, index) => `${index + 1}|t`));
});

/** A dump of the node's database, with the lease left out, as docs/identity.md says. */
async function backup(...flags: string[]): Promise<string> {
  const { stdout } = await execa(
    "nsenter",
    [
      ...[`--target=${nodes.pid}`, "--mount", `--net=/run/netns/${nodes.lab.netns}`],
      ...["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"],
      ...["pg_dump", "--exclude-table=public.lease", `--host=/var/lib/postgresql/${nodes.name}`],
      ...["--username=rdsadmin", ...flags, "eclair"],
    ],
    { cwd: "/" },
  );
  return stdout;
}

test("a backup as the docs say it does not disturb a renewal", async () => {
  const held = async () => await nodes.sql("select instance from lease where expires_at > now()");
  const holder = await held();
  await nodes.sql("create table public.big as select g, repeat('x', 1000) from generate_series(1, 200000) g");
  for (let times = 0; times < 3; times += 1) await backup("--compress=9", "--file=/dev/null");
  await nodes.sql("drop table public.big");
  expect(await held()).toBe(holder);
});

describe("a node that is not the one of record and database is refused, and Eclair never started", () => {
  afterEach(async () => {
    const { state: ended } = await again.boot(again.configured());
    if (ended !== "done") throw new Error(`the node itself was not let through: ${ended}`);
  });

  /** What database and record have come to, which no refusal may change. */
  const standing = async (database = "eclair") => [
    await nodes.sql("select * from eclair_ami.progress, eclair_ami.binding", database),
    await nodes.sql("select instance, generation from eclair_ami.epoch order by 2", database),
  ];

  async function expectRefused(
    configuration: string,
    code: string,
    cause: RegExp,
    triedAgain = false,
  ): Promise<void> {
    // A node that is at work raises the counter.
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    const before = await standing();
    await again.expectRefusal(configuration, code, cause, triedAgain);
    expect(await standing()).toEqual(before);
  }

  const expectForgedRefused = async (
    change: (record: ClusterRecord) => unknown,
    code: string,
    cause: RegExp,
  ): Promise<void> => {
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    const record = await nodes.forgeRecord(change);
    await expectRefused(again.configured(), code, cause);
    await nodes.restoreRecord(record);
  };

  test("another channel seed, another on-chain key, exchanged seeds", async () => {
    await nodes.allow(readSecrets(["identity/*"]));
    const { SecretString = "" } = await nodes.secrets.send(
      new GetSecretValueCommand({ SecretId: "identity/seeds" }),
    );
    const own = JSON.parse(SecretString) as { nodeSeed: string; channelSeed: string };
    const secret = async (name: string, value: unknown) => {
      const text = JSON.stringify(value);
      await nodes.secrets.send(new CreateSecretCommand({ Name: `identity/${name}`, SecretString: text }));
      return `identity/${name}`;
    };
    const channelSeed = await secret("channel", { channelSeed: randomBytes(32).toString("hex") });
    const onChain = await secret("words", { mnemonic: generateMnemonic(wordlist) });
    const exchanged = await secret("exchanged", { nodeSeed: own.channelSeed, channelSeed: own.nodeSeed });
    await expectRefused(
      again.configured({ "secrets.channelSeed": channelSeed }),
      "record.channel-seed",
      /another channel seed/,
    );
    await expectRefused(
      again.configured({ "secrets.onChain": onChain }),
      "record.on-chain",
      /another on-chain key/,
    );
    const both = { "secrets.nodeSeed": exchanged, "secrets.channelSeed": exchanged };
    await expectRefused(again.configured(both), "identity.node-id", /is that of node/);
  });

  test("no record", () =>
    expectForgedRefused(() => undefined, "record.missing", /no record of the cluster identity/));

  test("a record for another chain", () =>
    expectForgedRefused(
      (record) => ({ ...record, node: { ...record.node, chain: "signet" } }),
      "record.chain",
      /of another chain: signet/,
    ));

  test("a record that can't be understood", () =>
    expectForgedRefused(
      (record) => ({ ...record, progress: "far" }),
      "record.malformed",
      /not one that this image understands/,
    ));

  test("an empty database, one of another name, and another node's", async () => {
    await nodes.sql("create database blank");
    await expectRefused(
      again.configured({ "database.name": "blank" }),
      "database.elsewhere",
      /identity.*\/eclair/,
    );
    const record = await nodes.forgeRecord((one) => ({
      ...one,
      database: { ...one.database, name: "blank" },
    }));
    await expectRefused(
      again.configured({ "database.name": "blank" }),
      "database.empty",
      /is empty, though the node exists/,
    );
    await nodes.restoreRecord(record);
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    const own = await nodes.sql("select node_id from eclair_ami.binding");
    await nodes.sql(`update eclair_ami.binding set node_id = '02${"ab".repeat(32)}'`);
    await expectRefused(again.configured(), "database.node", /of another node: 02abab/);
    await nodes.sql(`update eclair_ami.binding set node_id = '${own}'`);
  });

  test("a clone made by pg_dump while the original was alive, under the original's name", async () => {
    await roleBecomes(/^active/);
    await nodes.sql("create database copy", "postgres");
    await nodes.sql(await backup(), "copy");
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    await nodes.sql(
      "alter database eclair rename to original; alter database copy rename to eclair",
      "postgres",
    );
    const before = await standing("original");
    await again.expectRefusal(
      again.configured(),
      "database.clone",
      /is a copy: it was bound .* as another database/,
    );
    expect(await standing("original")).toEqual(before);
    await nodes.sql(
      "alter database eclair rename to copy; alter database original rename to eclair",
      "postgres",
    );
    await nodes.sql("drop database copy", "postgres");
  });

  test("a database that was rewound, at boot and at a takeover", async () => {
    const server = join(nodes.lab.state, "databases", nodes.name);
    const named = { DBInstanceIdentifier: nodes.name };
    const stop = () => nodes.rds.send(new StopDBInstanceCommand(named));
    const begin = () => nodes.rds.send(new StartDBInstanceCommand(named));
    await stop();
    await execa("cp", ["--archive", join(server, "data"), join(server, "earlier")]);
    await begin();
    const before = (await nodes.table.record())?.progress;
    await roleBecomes(/^active/);
    await eventually("the node to come further", async () => {
      const now = (await nodes.table.record())?.progress;
      return before !== undefined && now !== undefined && isBehind(before, now) ? true : undefined;
    });
    await stop();
    await execa("mv", [join(server, "data"), join(server, "own")]);
    await execa("mv", [join(server, "earlier"), join(server, "data")]);
    await begin();
    // Eclair goes on with the database that it finds, until the supervisor sees where that stands and kills it.
    await roleBecomes(/^waiting since .*database\.rewound/);
    expect((await nodes.inGuest(id, "systemctl is-active eclair@a eclair@b")).stdout).not.toMatch(/^active/m);
    await expectRefused(again.configured(), "database.rewound", /was restored from before/);

    await stop();
    await execa("rm", ["--recursive", join(server, "data")]);
    await execa("mv", [join(server, "own"), join(server, "data")]);
    await begin();
  });

  test("schemas that are newer than the image's Eclair", async () => {
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    await nodes.sql("update versions set version = 12 where db_name = 'channels'");
    await expectRefused(
      again.configured(),
      "eclair.older",
      /Eclair 0\.13\.0 of this image is older .*channels 12/,
    );
    await nodes.sql("update versions set version = 11 where db_name = 'channels'");
  });
});

describe("a record that can't be reached", () => {
  const unreachable = (seconds: number) =>
    setFaults(nodes.lab, nodes.name, [
      {
        service: "api",
        action: "GetItem",
        code: "InternalServerError",
        status: 500,
        until: Date.now() + seconds * 1000,
      },
    ]);

  test("is waited for, and the boot says so", async () => {
    unreachable(300);
    const { failure } = await again.boot(again.configured());
    expect(failure).toMatchObject({ phase: "resolve", code: "record.unreachable", triedAgain: true });
    await again.expectNothing();
    setFaults(nodes.lab, nodes.name, []);
    expect(await again.boot(again.configured())).toMatchObject({ state: "done" });
  });

  test("is done without where the configuration allows it", async () => {
    unreachable(300);
    const without = again.configured({ record: { table: "eclair-ami", takeoverWithout: true } });
    expect(await again.boot(without)).toMatchObject({ state: "done" });
    await roleBecomes(/^active/);
    const { stdout } = await nodes.inGuest(id, "journalctl --no-pager --output=cat --unit=eclair-bootstrap");
    expect(stdout).toMatch(/"eclairAmi":"record","unreachable":.*"goingOnWithout":true/);
  });
});
