import { StartDBInstanceCommand, StopDBInstanceCommand } from "@aws-sdk/client-rds";
import { CreateSecretCommand, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { fenceVersion } from "../../bootstrap/database/fence.ts";
import { stateSql } from "../../bootstrap/database/state.ts";
import { isBehind, type ClusterRecord } from "../../bootstrap/contract/record/record.ts";
import { setFaults } from "../../scripts/lab/front/faults.ts";
import { readSecrets } from "../../infra/policies/statements.ts";
import { asPostgres, databasesFolder, superuser } from "../../scripts/lab/rds/postgres-tree.ts";
import { bootRunner } from "./boots-again.ts";
import { cli, eventually, failureOf } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { expectRenewals } from "./renewals.ts";

const state = inject("labState");
const [image] = inject("images");
const imageId = image?.id ?? "";

let nodes: Cluster;
let id: string;
let runner: ReturnType<typeof bootRunner>;

beforeAll(async () => {
  nodes = await cluster(state, "identity", imageId);
  id = await nodes.launch(imageId);
  runner = bootRunner(nodes, id);
  await nodes.waitUntilActive(id);
});
afterEach(() => setFaults(nodes.lab, nodes.name, []));
afterAll(() => nodes.terminate(id));

/** Reads the current role of the instance from the supervisor. */
async function readRole(): Promise<string> {
  return (await nodes.inGuest(id, "eclair-bootstrap status | sed -n 's/^role: //p'")).stdout;
}

async function waitForRole(pattern: RegExp): Promise<void> {
  let last = "";
  await eventually(`the role to be ${pattern}`, async () => {
    last = await readRole();
    return pattern.test(last) ? true : undefined;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}; the last role was: ${last}`, { cause: error });
  });
}

describe("the record of an active node", () => {
  test("contains the identity of the node and the last Eclair, and mirrors generation and counter of the database", async () => {
    const first = await eventually("the record to be mirrored", async () => {
      const record = await nodes.table.record();
      return record?.lastEclair === undefined ? undefined : record;
    });
    expect(first).toMatchObject({
      node: { nodeId: nodes.configuration.nodeId, chain: "regtest" },
      database: { host: nodes.configuration.database.host, name: "eclair" },
      lastEclair: { version: "0.13.0", schemas: { channels: 11, audit: 13 } },
      progress: { generation: 1 },
    });
    const later = await eventually("the counter to increase", async () => {
      const record = await nodes.table.record();
      return record !== undefined && record.progress.counter > first.progress.counter ? record : undefined;
    });
    const [generation, counter] = (
      await nodes.sql("select generation, counter from eclair_ami.progress")
    ).split("|");
    expect(later.progress.generation).toBe(Number(generation));
    expect(later.progress.counter).toBeLessThanOrEqual(Number(counter));
  });

  test("contains a fingerprint of the channel seed, not the seed", async () => {
    const record = await nodes.table.record();
    const { SecretString = "" } = await nodes.secrets.send(
      new GetSecretValueCommand({ SecretId: "identity/seeds" }),
    );
    expect(record?.node.channelSeedFingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(SecretString).not.toContain(record?.node.channelSeedFingerprint);
  });

  test("when it cannot be written, the node stays active, reports the failure, and mirrors again later", async () => {
    const until = Date.now() + 60_000;
    const fault = { service: "api", code: "InternalServerError", status: 500, until } as const;
    setFaults(nodes.lab, nodes.name, [{ ...fault, action: "UpdateItem" }]);
    await eventually("the loss to be seen", async () => {
      const { stdout } = await nodes.inGuest(id, "eclair-bootstrap status");
      return /^record: .*cannot be used/m.test(stdout) ? true : undefined;
    });
    expect(await readRole()).toMatch(/^active/);
    setFaults(nodes.lab, nodes.name, [{ ...fault, action: "Query" }]);
    const status = await cli(["status", "--state", state, "--cluster", "identity"]);
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toContain(id);
    expect(status.stderr).toMatch(
      /^the reports of the cluster identity cannot be read from the table eclair-ami: /m,
    );
    const switchover = await cli(["switchover", "--state", state, "--cluster", "identity"]);
    expect(switchover.stderr).toMatch(/\(aws\.unreachable\)$/m);
    setFaults(nodes.lab, nodes.name, []);
    const before = (await nodes.table.record())?.progress.counter ?? 0;
    await eventually("the record to be mirrored again", async () =>
      ((await nodes.table.record())?.progress.counter ?? 0) > before ? true : undefined,
    );
  });
});

test("when the record is deleted, the node stays active, reports the loss, and mirrors again after the record is restored", async () => {
  const record = await nodes.forgeRecord(() => undefined);
  await eventually("the loss to be seen", async () => {
    const { stdout } = await nodes.inGuest(id, "eclair-bootstrap status");
    return /^record: the cluster record does not exist/m.test(stdout) ? true : undefined;
  });
  expect(await readRole()).toMatch(/^active/);
  await eventually("`status` to show the loss of the record", async () => {
    const { stdout } = await cli(["status", "--state", state, "--cluster", "identity"]);
    return stdout.includes("the cluster record does not exist") ? true : undefined;
  });
  await nodes.restoreRecord(record);
  await eventually("the record to be mirrored again", async () =>
    ((await nodes.table.record())?.progress.counter ?? 0) > record.progress.counter ? true : undefined,
  );
});

describe("the cluster setup", () => {
  test("a second `init` changes nothing, and reports this", async () => {
    const run = await nodes.runSetup(["init"], imageId, "--create-secrets");
    expect(run.exitCode, run.all).toBe(0);
    expect(run.stdout).toMatch(/^created +nothing: everything exists$/m);
    expect(run.stdout).toContain(nodes.configuration.nodeId);
  });

  test("PostgreSQL does not compile the query of the start guard", async () => {
    const plan = await nodes.sql(`explain (format json) ${stateSql}`);
    const [{ Plan }] = JSON.parse(plan) as [{ Plan: { "Total Cost": number } }];
    // PostgreSQL compiles a query before it runs it when the estimated cost is 100,000 or more.
    expect(Plan["Total Cost"]).toBeLessThan(1_000);
  });

  test("`verify` accepts an intact cluster, and detects a disabled trigger of the fence", async () => {
    const intact = await nodes.runSetup(["verify"], imageId);
    expect(intact.exitCode, intact.all).toBe(0);
    await nodes.sql("alter table lease disable trigger eclair_ami_fence");
    const disabled = await nodes.runSetup(["verify"], imageId, "--json");
    expect(disabled.exitCode).toBe(1);
    expect(failureOf(disabled)).toMatchObject({
      code: "fence.not-enforced",
      message: expect.stringMatching(/^the trigger on lease is missing or disabled$/) as string,
    });
  });

  test("`init` repairs a fence, and upgrades an old fence to the version of the image", async () => {
    const repaired = await nodes.runSetup(["init"], imageId);
    expect(repaired.stdout).toMatch(/^created +fence/m);
    await nodes.sql("alter table audit.sent disable trigger eclair_ami_holder");
    await nodes.sql("drop trigger eclair_ami_holder on audit.received");
    const withoutTriggers = await nodes.runSetup(["verify"], imageId, "--json");
    const { code, message } = failureOf(withoutTriggers);
    expect(code).toBe("fence.not-enforced");
    expect(message.split("; ").toSorted()).toEqual([
      "the trigger on audit.received is missing or disabled",
      "the trigger on audit.sent is missing or disabled",
    ]);
    const repairedTables = await nodes.runSetup(["init"], imageId);
    expect(repairedTables.stdout).toMatch(/^created +fence on Eclair's tables$/m);
    await nodes.sql("update eclair_ami.fence set version = 0; drop function eclair_ami.raise_counter(text)");
    const upgraded = await nodes.runSetup(["init"], imageId);
    expect(upgraded.stdout, upgraded.all).toMatch(/^created +fence, from version 0$/m);
    expect(await nodes.sql("select version from eclair_ami.fence")).toBe(String(fenceVersion));
    expect((await nodes.runSetup(["verify"], imageId)).exitCode).toBe(0);
  });

  test("`init` refuses a fence that is newer than the image", async () => {
    await nodes.sql("update eclair_ami.fence set version = 99");
    const run = await nodes.runSetup(["init"], imageId, "--json");
    expect(failureOf(run)).toMatchObject({ code: "fence.too-new" });
    await nodes.sql(`update eclair_ami.fence set version = ${fenceVersion}`);
  });

  test("`init` refuses a used database whose cluster record is lost", async () => {
    const record = await nodes.forgeRecord(() => undefined);
    const run = await nodes.runSetup(["init"], imageId, "--json");
    expect(failureOf(run)).toMatchObject({ code: "record.lost" });
    await nodes.restoreRecord(record);
  });
});

describe("the runtime role", () => {
  /** Runs SQL as the runtime role. */
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
  ])("cannot run: %s", async (sql) => {
    expect(await asEclair(sql)).toMatch(
      /must be owner|permission denied|must be superuser|only the table owner/,
    );
  });

  test("can run the statements of Eclair and of the supervisor", async () => {
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

test("a superseded holder can never take the lease again, and the epochs contain every holder", async () => {
  const generation = Number(await nodes.sql("select generation from eclair_ami.progress"));
  const refusal = await nodes
    .sql(
      `begin; update lease set instance = 'another'; update lease set instance = (select eclair_instance_id from eclair_ami.epoch where generation = ${generation}); commit`,
    )
    .catch((error: unknown) => String((error as { stderr?: string }).stderr));
  expect(refusal).toMatch(/was superseded by another and can never hold the lease again/);
  const epochs = await nodes.sql(
    "select generation, client_address is not null from eclair_ami.epoch order by 1",
  );
  expect(epochs.split("\n")).toEqual(Array.from({ length: generation }, (_, index) => `${index + 1}|t`));
});

/**
 * Dumps the node's database without the lease, as docs/identity.md describes.
 * @param reader a shell command that reads the dump
 */
async function dumpDatabase(reader = "cat"): Promise<string> {
  const { stdout } = await execa(
    "nsenter",
    [
      ...[`--target=${nodes.pid}`, "--mount", `--net=/run/netns/${nodes.lab.netns}`],
      ...["bash", "-c", `set -o pipefail; "$@" | { ${reader}; }`, "bash"],
      ...asPostgres(nodes.lab, "pg_dump", "--exclude-table=public.lease"),
      ...[`--host=${databasesFolder}/${nodes.name}`, `--username=${superuser}`, "eclair"],
    ],
    { cwd: "/" },
  );
  return stdout;
}

test("a backup as documented does not disturb the renewal of the lease, even when it takes longer than a renewal waits", async () => {
  // More than the buffer of a pipe: the locks of the dump last until the reader has read.
  await nodes.sql("create table public.big as select g, repeat('x', 1000) from generate_series(1, 1000) g");
  await expectRenewals(nodes, () => dumpDatabase("sleep 12; cat >/dev/null"));
  await nodes.sql("drop table public.big");
});

describe("a boot whose node differs from record or database is refused, and never starts Eclair", () => {
  afterEach(async () => {
    const { state: ended } = await runner.boot(runner.configurationWith());
    if (ended !== "done") throw new Error(`the boot of the correct node failed: ${ended}`);
  });

  /** Reads the fence's tables of a database. A refused boot must not change them. */
  const readFenceTables = async (database = "eclair") => [
    await nodes.sql("select * from eclair_ami.progress, eclair_ami.binding", database),
    await nodes.sql("select eclair_instance_id, generation from eclair_ami.epoch order by 2", database),
  ];

  async function expectRefused(
    configuration: string,
    code: string,
    message: RegExp,
    retryable = false,
  ): Promise<void> {
    // An active node would increase the counter.
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    const before = await readFenceTables();
    await runner.expectRefusal(configuration, code, message, retryable);
    expect(await readFenceTables()).toEqual(before);
  }

  const expectForgedRefused = async (
    change: (record: ClusterRecord) => unknown,
    code: string,
    message: RegExp,
  ): Promise<void> => {
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    const record = await nodes.forgeRecord(change);
    await expectRefused(runner.configurationWith(), code, message);
    await nodes.restoreRecord(record);
  };

  test("another channel seed, another on-chain key, exchanged seeds", async () => {
    await nodes.allow(readSecrets(["identity/*"]));
    const { SecretString = "" } = await nodes.secrets.send(
      new GetSecretValueCommand({ SecretId: "identity/seeds" }),
    );
    const seeds = JSON.parse(SecretString) as { nodeSeed: string; channelSeed: string };
    const createSecret = async (name: string, value: unknown) => {
      const text = JSON.stringify(value);
      await nodes.secrets.send(new CreateSecretCommand({ Name: `identity/${name}`, SecretString: text }));
      return `identity/${name}`;
    };
    const channelSeed = await createSecret("channel", { channelSeed: randomBytes(32).toString("hex") });
    const onChain = await createSecret("words", { mnemonic: generateMnemonic(wordlist) });
    const exchanged = await createSecret("exchanged", {
      nodeSeed: seeds.channelSeed,
      channelSeed: seeds.nodeSeed,
    });
    await expectRefused(
      runner.configurationWith({ "secrets.channelSeed": channelSeed }),
      "record.channel-seed-mismatch",
      /another channel seed/,
    );
    await expectRefused(
      runner.configurationWith({ "secrets.onChain": onChain }),
      "record.on-chain-mismatch",
      /another on-chain key/,
    );
    const exchangedSeeds = { "secrets.nodeSeed": exchanged, "secrets.channelSeed": exchanged };
    await expectRefused(
      runner.configurationWith(exchangedSeeds),
      "identity.node-id-mismatch",
      /belongs to node/,
    );
  });

  test("no record", () =>
    expectForgedRefused(() => undefined, "record.missing", /the cluster identity has no record/));

  test("a record for another chain", () =>
    expectForgedRefused(
      (record) => ({ ...record, node: { ...record.node, chain: "signet" } }),
      "record.chain-mismatch",
      /another chain: signet/,
    ));

  test("a record with an unknown format", () =>
    expectForgedRefused(
      (record) => ({ ...record, progress: "far" }),
      "record.malformed",
      /has a format that this image does not know/,
    ));

  test("a database with another name, an empty database, and the database of another node", async () => {
    await nodes.sql("create database blank");
    await expectRefused(
      runner.configurationWith({ "database.name": "blank" }),
      "database.endpoint-mismatch",
      /identity.*\/eclair/,
    );
    const record = await nodes.forgeRecord((current) => ({
      ...current,
      database: { ...current.database, name: "blank" },
    }));
    await expectRefused(
      runner.configurationWith({ "database.name": "blank" }),
      "database.empty",
      /is empty, and the node exists/,
    );
    await nodes.restoreRecord(record);
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    const nodeId = await nodes.sql("select node_id from eclair_ami.binding");
    await nodes.sql(`update eclair_ami.binding set node_id = '02${"ab".repeat(32)}'`);
    await expectRefused(runner.configurationWith(), "database.node-mismatch", /another node id: 02abab/);
    await nodes.sql(`update eclair_ami.binding set node_id = '${nodeId}'`);
  });

  test("a copy that pg_dump created while the original was active, under the name of the original", async () => {
    await waitForRole(/^active/);
    await nodes.sql("create database copy", "postgres");
    await nodes.sql(await dumpDatabase(), "copy");
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    await nodes.sql(
      "alter database eclair rename to original; alter database copy rename to eclair",
      "postgres",
    );
    const before = await readFenceTables("original");
    await runner.expectRefusal(
      runner.configurationWith(),
      "database.clone",
      /is a copy: it was bound .* as another database/,
    );
    expect(await readFenceTables("original")).toEqual(before);
    await nodes.sql(
      "alter database eclair rename to copy; alter database original rename to eclair",
      "postgres",
    );
    await nodes.sql("drop database copy", "postgres");
  });

  test("a database that was restored to an earlier state, at boot and at a takeover", async () => {
    const server = join(nodes.lab.state, "databases", nodes.name);
    const identifier = { DBInstanceIdentifier: nodes.name };
    const stop = () => nodes.rds.send(new StopDBInstanceCommand(identifier));
    const start = () => nodes.rds.send(new StartDBInstanceCommand(identifier));
    await stop();
    await execa("cp", ["--archive", join(server, "data"), join(server, "earlier")]);
    await start();
    const before = (await nodes.table.record())?.progress;
    await waitForRole(/^active/);
    await eventually("the record to get ahead of the copy", async () => {
      const current = (await nodes.table.record())?.progress;
      return before !== undefined && current !== undefined && isBehind(before, current) ? true : undefined;
    });
    await stop();
    await execa("mv", [join(server, "data"), join(server, "own")]);
    await execa("mv", [join(server, "earlier"), join(server, "data")]);
    await start();
    // Eclair continues with the restored database until the supervisor detects the earlier state and kills Eclair.
    await waitForRole(/^waiting since .*database\.rewound/);
    expect((await nodes.inGuest(id, "systemctl is-active eclair@a eclair@b")).stdout).not.toMatch(/^active/m);
    await expectRefused(runner.configurationWith(), "database.rewound", /was restored from an earlier state/);

    await stop();
    await execa("rm", ["--recursive", join(server, "data")]);
    await execa("mv", [join(server, "own"), join(server, "data")]);
    await start();
  });

  test("schemas that are newer than the Eclair of the image", async () => {
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    await nodes.sql("update versions set version = 12 where db_name = 'channels'");
    await expectRefused(
      runner.configurationWith(),
      "eclair.too-old",
      /Eclair 0\.13\.0 of this image is older .*channels 12/,
    );
    await nodes.sql("update versions set version = 11 where db_name = 'channels'");
  });
});

describe("a record that cannot be reached", () => {
  const blockRecord = (seconds: number) =>
    setFaults(nodes.lab, nodes.name, [
      {
        service: "api",
        action: "GetItem",
        code: "InternalServerError",
        status: 500,
        until: Date.now() + seconds * 1000,
      },
    ]);

  test("makes the boot fail with a retryable error until the record can be reached", async () => {
    blockRecord(300);
    const { failure } = await runner.boot(runner.configurationWith());
    expect(failure).toMatchObject({
      phase: "resolve",
      error: { code: "record.unreachable", retryable: true },
    });
    await runner.expectNothingStarted();
    setFaults(nodes.lab, nodes.name, []);
    expect(await runner.boot(runner.configurationWith())).toMatchObject({ state: "done" });
  });

  test("does not prevent the boot when the configuration allows a start without the record", async () => {
    blockRecord(300);
    const withoutRecord = runner.configurationWith({
      record: { table: "eclair-ami", allowStartWithoutRecord: true },
    });
    expect(await runner.boot(withoutRecord)).toMatchObject({ state: "done" });
    await waitForRole(/^active/);
    const { stdout } = await nodes.inGuest(id, "journalctl --no-pager --output=cat --unit=eclair-bootstrap");
    expect(stdout).toMatch(/"event":"record.unreachable"/);
  });
});
