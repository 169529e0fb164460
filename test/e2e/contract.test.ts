import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ports } from "../../bootstrap/contract/ports.ts";
import { SupervisorSecrets } from "../../bootstrap/secrets/supervisor.ts";
import { eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { restoreGate, bypassGate } from "./gate.ts";

const state = inject("labState");

/** The behaviour of Eclair that this project depends on. The stand-in Eclair and, with ECLAIR_ZIP, the real Eclair have it. */
describe.each(inject("images"))("the contract with Eclair ($eclair)", ({ eclair, id: imageId }) => {
  let nodes: Cluster;
  let id: string;

  beforeAll(async () => {
    nodes = await cluster(state, `contract-${eclair}`, imageId);
    id = await nodes.launch(imageId);
    await nodes.waitUntilActive(id);
    // systemd forgets the exit status of a unit that succeeded, and the conditions of the unit prevent a start without seeds.
    // The tests need both.
    await nodes.inGuest(
      id,
      `mkdir -p /run/systemd/system/eclair@.service.d
       printf '[Unit]\\nConditionPathExists=\\n[Service]\\nSuccessExitStatus=\\n' > /run/systemd/system/eclair@.service.d/99-contract.conf
       systemctl daemon-reload`,
    );
  });
  afterAll(() => nodes.terminate(id));

  const startEclair = () =>
    nodes.inGuest(id, "systemctl reset-failed eclair@a; systemctl start --no-block eclair@a; sleep 0.2");
  const stopEclair = () => nodes.inGuest(id, "systemctl stop eclair@a");

  /** The unit of the Eclair that runs. The supervisor starts an Eclair in the other slot while this unit still stops. */
  async function runningUnit(): Promise<string> {
    const { stdout } = await nodes.inGuest(
      id,
      "systemctl list-units --plain --no-legend --state=active 'eclair@*'",
    );
    return stdout.replace(/ .*/, "").trim();
  }

  async function property(name: string, unit = "eclair@a"): Promise<string> {
    return (await nodes.inGuest(id, `systemctl show --value --property=${name} ${unit}`)).stdout.trim();
  }

  async function waitForExit(unit?: string): Promise<{ status: string; log: string }> {
    await eventually("Eclair to end", async () =>
      ["inactive", "failed"].includes(await property("ActiveState", unit)) ? true : undefined,
    );
    return { status: await property("ExecMainStatus", unit), log: await readLog(unit) };
  }

  /** Returns the log of the last Eclair process. */
  async function readLog(unit?: string): Promise<string> {
    const invocation = await property("InvocationID", unit);
    return (
      await nodes.inGuest(id, `journalctl --no-pager --output=cat _SYSTEMD_INVOCATION_ID=${invocation}`)
    ).stdout;
  }

  type Info = { nodeId: string; instanceId: string; blockHeight: number; chainHash: string };
  const waitForInfo = () =>
    eventually("Eclair's API", () =>
      nodes.api(id, "getinfo").then(
        (response) => response as Info,
        () => undefined,
      ),
    );

  test("getinfo returns node id, Eclair instance id, chain and block height", async () => {
    const info = await waitForInfo();
    expect(info.nodeId).toBe(nodes.configuration.nodeId);
    expect(info.instanceId).toMatch(/^[0-9a-f-]{36}$/);
    expect(info.chainHash).toBe("06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f");
    const height = await nodes.inGuest(
      id,
      "eclair-bootstrap status | sed -n 's/^bitcoind: block \\([0-9]*\\).*/\\1/p'",
    );
    expect(Math.abs(info.blockHeight - Number(height.stdout))).toBeLessThanOrEqual(1);
  });

  test("the lease contains the Eclair instance id that Eclair logged, and Eclair renews the lease", async () => {
    const { leaseSeconds, leaseRenewalSeconds } = nodes.configuration.database;
    const { instanceId } = await waitForInfo();
    expect(await readLog()).toContain(`connecting to database with instanceId=${instanceId}`);
    const lease = async () =>
      (
        await nodes.sql(
          "select instance, extract(epoch from expires_at)::bigint, extract(epoch from expires_at - now()) from lease",
        )
      ).split("|");
    const [holder, expires = ""] = await lease();
    expect(holder).toBe(instanceId);
    const later = await eventually("a renewal", async () => {
      const now = await lease();
      return Number(now[1]) > Number(expires) ? now : undefined;
    });
    expect(later[0]).toBe(instanceId);
    expect(Number(later[2])).toBeLessThanOrEqual(leaseSeconds);
    expect(Number(later[2])).toBeGreaterThan(leaseSeconds - leaseRenewalSeconds - 2);
  });

  test("the lease table, the schemas and their versions are the ones that this project supports", async () => {
    const columns = await nodes.sql(
      "select column_name, data_type, is_nullable, column_default from information_schema.columns where table_schema = 'public' and table_name = 'lease' order by ordinal_position",
    );
    expect(columns.split("\n")).toEqual([
      "id|integer|NO|1",
      "expires_at|timestamp with time zone|NO|",
      "instance|character varying|NO|",
    ]);
    const schemas = await nodes.sql(
      "select nspname from pg_namespace where nspname !~ '^(pg_|information_|eclair_ami$)' order by 1",
    );
    expect(schemas.split("\n")).toEqual(["audit", "liquidity", "local", "network", "payments", "public"]);
    const versions = await nodes.sql("select db_name, version from versions order by 1");
    expect(versions.split("\n")).toEqual([
      ...["audit|13", "channels|11", "liquidity|1", "network|4", "offers|1"],
      ...["payments|8", "peers|5", "pending_relay|3"],
    ]);
  });

  test("bitcoind watches the descriptors of Eclair's wallet", async () => {
    const descriptors = (await nodes.api(id, "getdescriptors", "account=0")) as {
      desc: string;
      internal: boolean;
    }[];
    const { stdout } = await nodes.inGuest(id, "cat /run/eclair-supervisor/secrets.json");
    const { watched, bitcoind } = SupervisorSecrets.parse(JSON.parse(stdout));
    const ofEclair = descriptors.map(({ desc, internal }) => ({ text: desc.replace(/#.*/, ""), internal }));
    expect(ofEclair).toEqual(watched?.descriptors);
    const { username, password } = bitcoind.gate;
    const listed = await nodes.inGuest(
      id,
      `curl --silent --user '${username}:${password}' --data '{"method":"listdescriptors"}' http://127.0.0.1:${ports.bitcoindRpc}/wallet/${nodes.configuration.bitcoind.wallet}`,
    );
    const { result } = JSON.parse(listed.stdout) as { result: { descriptors: { desc: string }[] } };
    const plain = (text: string) => text.replace(/#.*/, "").replaceAll("'", "h");
    expect(result.descriptors.map(({ desc }) => plain(desc)).toSorted()).toEqual(
      ofEclair.map(({ text }) => plain(text)).toSorted(),
    );
  });

  test("an invoice still exists after a restart", async () => {
    const invoice = (await nodes.api(id, "createinvoice", "description=contract&amountMsat=5000")) as {
      paymentHash: string;
    };
    await nodes.inGuest(id, `systemctl restart ${await runningUnit()}`);
    await waitForInfo();
    expect(await nodes.api(id, "getinvoice", `paymentHash=${invoice.paymentHash}`)).toMatchObject(invoice);
  });

  test("the API refuses a wrong password", async () => {
    const response = await nodes.inGuest(
      id,
      `exec 3<>/dev/tcp/127.0.0.1/8080; printf 'POST /getinfo HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Basic Ong=\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' >&3; head -n 1 <&3`,
    );
    expect(response.stdout).toMatch(/^HTTP\/1\.1 401 /);
  });

  test("Eclair releases the lease when it is stopped, and exits with code 143", async () => {
    const unit = await runningUnit();
    expect(unit).toMatch(/^eclair@[ab]\.service$/);
    await nodes.inGuest(id, "systemctl stop eclair-supervisor");
    const { status } = await waitForExit(unit);
    // The following tests start Eclair without the supervisor.
    await bypassGate(nodes, id);
    expect(status).toBe("143");
    expect(await nodes.sql("select expires_at <= now() from lease")).toBe("t");
  });

  test("Eclair exits with code 1 at once when another process holds the lease", async () => {
    await nodes.sql(`update lease set instance = '${randomUUID()}', expires_at = now() + interval '1 hour'`);
    await startEclair();
    const { status, log } = await waitForExit();
    expect(status).toBe("1");
    expect(log).toContain("AlreadyLocked(");
    await nodes.sql("update lease set expires_at = now()");
  });

  test("Eclair exits with code 1 when another process takes its lease", async () => {
    await startEclair();
    await waitForInfo();
    await nodes.sql(`update lease set instance = '${randomUUID()}', expires_at = now() + interval '1 hour'`);
    const { status, log } = await waitForExit();
    expect(status).toBe("1");
    expect(log).toContain("db locking error is a fatal error");
    await nodes.sql("update lease set expires_at = now()");
  });

  test("Eclair exits before it connects to the database when the database URL has changed", async () => {
    const file = "/run/eclair/regtest/last_jdbcurl";
    await nodes.inGuest(
      id,
      `cp --preserve=all ${file} /run/eclair/url; echo -n jdbc:postgresql://other/db > ${file}`,
    );
    await startEclair();
    const { status, log } = await waitForExit();
    expect(status).toBe("1");
    expect(log).toContain("The database URL has changed since the last start");
    await nodes.inGuest(id, `mv /run/eclair/url ${file}`);
  });

  test("Eclair exits when it does not know the version of a schema", async () => {
    await nodes.sql("update versions set version = 99 where db_name = 'channels'");
    await startEclair();
    const { status, log } = await waitForExit();
    expect(status).toBe("1");
    expect(log).toContain("Unknown version of DB channels found, version=99");
    await nodes.sql("update versions set version = 11 where db_name = 'channels'");
  });

  test("Eclair creates missing seeds and becomes another node, which the supervisor kills", async () => {
    await nodes.inGuest(id, "mkdir /run/eclair/kept; mv /run/eclair/*_seed.dat /run/eclair/kept");
    await startEclair();
    const other = await waitForInfo();
    expect(other.nodeId).toMatch(/^0[23][0-9a-f]{64}$/);
    expect(other.nodeId).not.toBe(nodes.configuration.nodeId);
    const sizes = await nodes.inGuest(id, "stat -c %s /run/eclair/*_seed.dat");
    expect(sizes.stdout.split("\n")).toEqual(["32", "32"]);
    await restoreGate(nodes, id);
    await nodes.inGuest(id, "systemctl start eclair-supervisor");
    await eventually("the supervisor to kill the wrong node", async () => {
      const { stdout } = await nodes.inGuest(
        id,
        "journalctl --no-pager --output=cat --unit=eclair-supervisor",
      );
      return stdout.includes(`Eclair started with the node id ${other.nodeId}`) ? true : undefined;
    });
    await eventually("the end of the wrong node", async () => {
      const { stdout } = await nodes.inGuest(id, "pgrep -u eclair java || echo ended");
      return stdout === "ended" ? true : undefined;
    });
    await nodes.inGuest(id, "systemctl stop eclair-supervisor; mv /run/eclair/kept/* /run/eclair");
  });

  test("Eclair starts again when everything is restored", async () => {
    await stopEclair();
    await nodes.inGuest(id, "systemctl start eclair-supervisor");
    expect((await nodes.waitUntilActive(id)).report?.eclair.info?.nodeId).toBe(nodes.configuration.nodeId);
  });
});
