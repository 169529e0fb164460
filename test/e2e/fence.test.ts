import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { fenceVersion, writersLock } from "../../bootstrap/database/fence.ts";
import { root } from "../../scripts/machine/paths.mjs";
import { eventually, failureOf } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { asRuntimeRole } from "./psql.ts";
import { expectRenewals, whileReading } from "./renewals.ts";

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

    beforeAll(async () => {
      nodes = await cluster(state, `fence-${eclair}`, imageId);
      id = await nodes.launch(imageId);
      await nodes.waitUntilActive(id);
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
      return await asRuntimeRole(nodes, id, sql, name);
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

    test.each([
      "delete from audit.sent where false",
      "update local.channels set last_connected_timestamp = now() where false",
      "update local.channels set last_payment_received_timestamp = now() where false",
      "update local.channels set last_payment_sent_timestamp = now() where false",
    ])("an older process of the holder's own host is refused: %s", async (write) => {
      await expect(asHolder(write, "eclair/older")).rejects.toThrow(
        /the holder of the lease has the session name eclair\/[0-9a-f]{32}, and eclair\/older was superseded/,
      );
      expect(await asHolder(`${write}; select 'done'`)).toBe("done");
    });

    test("the fence leaves a write to Eclair's own check of the lease", async () => {
      const write = "update local.channels set is_closed = true where false; select 'done'";
      expect(await asHolder(write, "eclair/older")).toBe("done");
    });

    test("a change of holder ends the sessions of the previous Eclair, also of its own host, and waits for a write in progress", async () => {
      const [next, sessionName] = [randomUUID(), `eclair/${randomBytes(16).toString("hex")}`];
      const writing = nodes.sql(`select pg_advisory_lock_shared(${writersLock}), pg_sleep(10)`);
      await eventually("the write to begin", async () =>
        (await nodes.sql("select count(*) from pg_locks where locktype = 'advisory' and granted")) === "0"
          ? undefined
          : true,
      );
      const startedAt = performance.now();
      // Eclair connects again meanwhile, and is superseded.
      const olderSessions = await asHolder(
        `begin; lock table lease in access exclusive mode;
         update lease set instance = '${next}', expires_at = now() + interval '3 seconds' where id = 1;
         select pg_stat_clear_snapshot();
         select count(*) from pg_stat_activity where application_name like 'eclair/%' and application_name <> '${sessionName}'
           and backend_start < now();
         commit`,
        sessionName,
      );
      expect(performance.now() - startedAt).toBeGreaterThan(3_000);
      expect(olderSessions).toBe("0");
      await writing;
      await eventually("Eclair to hold the lease again", async () => {
        const holder = await nodes.sql("select instance from lease where expires_at > now()");
        return holder === "" || holder === next ? undefined : true;
      });
      await nodes.waitUntilActive(id);
    });

    /** Locks the lease, and then reads the epochs, as a renewal with the fence's trigger does. */
    const renewSlowly = () =>
      asHolder(
        "begin; lock table lease in access exclusive mode; select pg_sleep(0.7); select count(*) from eclair_ami.epoch; commit",
      );

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
          const upgraded = await whileReading(renewSlowly, () => nodes.runSetup(["init"], imageId));
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
