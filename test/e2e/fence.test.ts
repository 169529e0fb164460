import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { fenceVersion } from "../../bootstrap/database/fence.ts";
import { Credentials } from "../../bootstrap/secrets/shapes.ts";
import { root } from "../../scripts/machine/paths.mjs";
import { eventually, failureOf } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { psqlOn } from "./psql.ts";
import { expectRenewals } from "./renewals.ts";

const state = inject("labState");
const olderFence = readFileSync(join(root, "test/support/fence-3.sql"), "utf8");
/** Longer than the 5 s for which Eclair waits for its lock on the lease, and than the 5 s between two renewals. */
const longSeconds = 11;

/** Statements of Eclair's transactions, on connections of the process that holds the lease. */
const longWrites = {
  "removes HTLC infos": `begin; delete from local.htlc_infos; select pg_sleep(${longSeconds}); select 1 from lease; commit`,
  "removes network channels": `begin; delete from network.public_channels; select pg_sleep(${longSeconds}); commit`,
  "adds to the audit": `begin; delete from audit.sent where false; select pg_sleep(${longSeconds}); commit`,
  "updates a timestamp of a channel": `begin; update local.channels set last_connected_timestamp = now() where false; select pg_sleep(${longSeconds}); commit`,
  "migrates a schema": `begin; update versions set version = version; select pg_sleep(${longSeconds}); update versions set version = version; commit`,
} as const;

describe.each(inject("images"))(
  "the fence and its holder's own writes ($eclair)",
  ({ eclair, id: imageId }) => {
    let nodes: Cluster;
    let id: string;
    let login: Credentials;
    /** The address of the database, whose name only the lab's own DNS server knows. */
    let address: string;

    beforeAll(async () => {
      nodes = await cluster(state, `fence-${eclair}`, imageId);
      const { SecretString = "" } = await nodes.secrets.send(
        new GetSecretValueCommand({ SecretId: `${nodes.name}/database` }),
      );
      login = Credentials.parse(JSON.parse(SecretString));
      id = await nodes.launch(imageId);
      await nodes.waitUntilActive(id);
      const found = await nodes.inGuest(id, `getent ahostsv4 ${nodes.configuration.database.host}`);
      address = found.stdout.split(" ")[0] ?? "";
    });
    afterAll(() => nodes.terminate(id));

    const triggers = async () =>
      (
        await nodes.sql(
          "select tgrelid::regclass from pg_trigger where tgname like 'eclair_ami_holder%' order by tgrelid::regclass::text",
        )
      ).split("\n");

    /**
     * Runs SQL on another connection of the holder: from its host, with its login and its session name.
     * @throws the error of psql when a statement fails
     */
    const asHolder = async (sql: string, sessionName?: string): Promise<string> => {
      const name =
        sessionName ??
        (await nodes.sql("select session_name from eclair_ami.epoch order by generation desc limit 1"));
      const connection = `host=${address} port=${nodes.configuration.database.port} dbname=eclair user=${login.username} sslmode=require application_name='${name}'`;
      const args = ["--set=ON_ERROR_STOP=1", connection];
      const { stdout } = await psqlOn(nodes.lab, id, args, login.password, { input: sql });
      return stdout.trim();
    };

    test("the triggers protect only the writes that Eclair makes without a check of its lease", async () => {
      await eventually("the triggers", async () =>
        (await triggers()).includes("versions") ? true : undefined,
      );
      const protectedTables = await triggers();
      expect(protectedTables).toEqual(
        expect.arrayContaining(["audit.sent", "liquidity.fee_credits", "local.channels", "network.nodes"]),
      );
      expect(protectedTables.filter((table) => /^(local|payments)\./.test(table))).toEqual([
        "local.channels",
      ]);
      expect(await asHolder("delete from audit.sent where false; select 'done'")).toBe("done");
    });

    test.each(Object.entries(longWrites))("the lease is renewed while Eclair %s", async (_, sql) => {
      await expectRenewals(nodes, () => asHolder(sql));
    });

    test("the lease is renewed while one connection waits for another, as when a channel is removed", async () => {
      await expectRenewals(nodes, async () => {
        const waiting = asHolder(
          `begin; delete from local.pending_settlement_commands; select pg_sleep(${longSeconds});
         update local.channels set is_closed = true where false; select 1 from lease; commit`,
        );
        await sleep(6_000);
        expect(
          await asHolder(
            "begin; delete from local.htlc_infos_to_remove where false; select count(*) from lease; commit",
          ),
        ).toBe("1");
        await waiting;
      });
    });

    test("an older process of the holder's own host is refused", async () => {
      await expect(asHolder("delete from audit.sent where false", "eclair/older")).rejects.toThrow(
        /the holder of the lease has the session name eclair\/[0-9a-f]{32}, and eclair\/older was superseded/,
      );
    });

    describe("a fence of version 3", () => {
      beforeEach(async () => {
        await nodes.sql(
          `set role "${await nodes.sql("select datdba::regrole from pg_database where datname = 'eclair'")}"; begin; ${olderFence}; commit`,
        );
        const tables = await nodes.sql(
          "select format('create or replace trigger eclair_ami_holder before insert or update or delete or truncate on %s for each statement execute function eclair_ami.require_holder();', c.oid::regclass) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('local', 'network', 'payments', 'audit', 'liquidity') and c.relkind = 'r'",
        );
        await nodes.sql(tables);
      });
      afterEach(async () => {
        await nodes.runSetup(["init"], imageId);
        await nodes.waitUntilActive(id);
      });

      test("ends its own holder during a long write, which these tests detect", async () => {
        await asHolder(longWrites["removes HTLC infos"]);
        const log = await eventually("Eclair to end", async () => {
          const { stdout } = await nodes.inGuest(id, "journalctl --no-pager --output=cat --unit='eclair@*'");
          return stdout.includes("db locking error is a fatal error") ? stdout : undefined;
        });
        expect(log).toMatch(/canceling statement due to lock timeout/);
      });

      test("is reported by `verify`, and upgraded by `init` while the node runs", async () => {
        await expectRenewals(nodes, async () => {
          const outdated = await nodes.runSetup(["verify"], imageId, "--json");
          expect(failureOf(outdated)).toMatchObject({
            code: "fence.outdated",
            message: `the fence in the database has version 3, and this image needs version ${fenceVersion}`,
          });
          const upgraded = await nodes.runSetup(["init"], imageId);
          expect(upgraded.stdout, upgraded.all).toMatch(/^created +fence, from version 3$/m);
          expect(upgraded.stdout).toMatch(/^created +fence on Eclair's tables$/m);
          const intact = await nodes.runSetup(["verify"], imageId);
          expect(intact.exitCode, intact.all).toBe(0);
        });
        expect(await nodes.sql("select version from eclair_ami.fence")).toBe(String(fenceVersion));
        expect(await triggers()).not.toContain("local.htlc_infos");
      });
    });

    test("a newer fence names what an older image needs", async () => {
      const newer = fenceVersion + 1;
      await nodes.sql(`update eclair_ami.fence set minimum_image_version = ${newer}`);
      const refused = await nodes.runSetup(["verify"], imageId, "--json");
      expect(failureOf(refused)).toMatchObject({
        code: "fence.too-new",
        message: expect.stringMatching(
          new RegExp(
            `requires images that know version ${newer}, and this image knows version ${fenceVersion}`,
          ),
        ) as string,
      });
      await nodes.sql("update eclair_ami.fence set minimum_image_version = 3");
    });
  },
);
