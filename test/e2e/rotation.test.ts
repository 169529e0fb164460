import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { parse, stringify } from "yaml";
import { Credentials } from "../../bootstrap/secrets/shapes.ts";
import { setFaults } from "../../scripts/lab/front/faults.ts";
import { cli, eventually, failureOf } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";
import { pairOf } from "./pair.ts";
import { psqlOn } from "./psql.ts";

const state = inject("labState");
const firstApiPassword = "the first password of the API";
/** A standby claims after 3 s of silence. */
const claimWithinSeconds = 15;

describe.each(inject("images"))("the rotation of a login ($eclair)", ({ eclair, id: imageId }) => {
  let nodes: Cluster;
  let ids: readonly string[];
  const secret = () => `${nodes.name}/database`;
  const apiSecret = () => `${nodes.name}/api`;

  const rotate = (...flags: string[]) => nodes.runSetup(["rotate", "database"], imageId, ...flags);
  /** Runs the command as a program of its own, and kills it when it reports a step. */
  const rotateUntil = async (step: string) => {
    const running = cli(
      [
        ...["rotate", "database", "--state", state, "--image", imageId],
        ...["--config", nodes.setupFile, "--json"],
      ],
      {},
      { detached: true },
    );
    let killed = false;
    running.stdout.on("data", (chunk: Buffer) => {
      if (killed || !chunk.toString().includes(`"rotation.${step}"`) || running.pid === undefined) return;
      killed = true;
      process.kill(-running.pid, "SIGKILL");
    });
    const { all } = await running;
    expect(killed, all).toBe(true);
  };
  const currentLogin = async () => {
    const { SecretString = "" } = await nodes.secrets.send(new GetSecretValueCommand({ SecretId: secret() }));
    return Credentials.parse(JSON.parse(SecretString));
  };
  const otherLogin = (username: string) => (username === "eclair_a" ? "eclair_b" : "eclair_a");
  const epochs = async () => Number(await nodes.sql("select count(*) from eclair_ami.epoch"));
  const loginsInUse = () =>
    nodes.sql(
      "select string_agg(distinct usename, ',') from pg_stat_activity where application_name ~ '^eclair(/|-supervisor)'",
    );

  /** The status of HTTP that Eclair's API answers a password with. */
  const apiStatus = async (id: string, password: string) =>
    (
      await nodes.inGuest(
        id,
        `curl --silent --output /dev/null --write-out '%{http_code}' --user ':${password}' --request POST http://127.0.0.1:8080/getinfo`,
      )
    ).stdout;

  /** Runs a statement in a session from a host of the cluster. */
  const query = async (sql: string, { username, password }: Credentials) => {
    const [id = ""] = ids;
    const { stdout } = await nodes.inGuest(id, `getent ahostsv4 ${nodes.configuration.database.host}`);
    const address = stdout.split(" ")[0] ?? "";
    const connection = `host=${address} port=${nodes.configuration.database.port} dbname=eclair user=${username} sslmode=require`;
    const result = psqlOn(nodes.lab, id, [`--command=${sql}`, connection], password, { reject: false });
    return { result };
  };
  const logIn = async (login: Credentials) => await (await query("select current_user", login)).result;
  /** A session that stays open until it is ended. */
  const session = async (login: Credentials) => {
    const { result } = await query("select pg_sleep(600)", login);
    await eventually("the session", async () =>
      (await nodes.sql(
        `select count(*) from pg_stat_activity where usename = '${login.username}' and application_name = 'psql'`,
      )) === "1"
        ? true
        : undefined,
    );
    const end = async () => {
      await nodes.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'psql' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()",
      );
      await result;
    };
    return { end };
  };

  const apiSetupFile = () => join(nodes.lab.state, "clusters", `${nodes.name}-setup-api.yaml`);

  beforeAll(async () => {
    nodes = await cluster(state, `rotation-${eclair}`, imageId);
    const setup = parse(readFileSync(nodes.setupFile, "utf8")) as { secrets: object };
    writeFileSync(
      apiSetupFile(),
      stringify({ ...setup, secrets: { ...setup.secrets, apiPassword: apiSecret() } }),
    );
    await nodes.secrets.send(new CreateSecretCommand({ Name: apiSecret(), SecretString: firstApiPassword }));
    const withApi = { secrets: { ...nodes.configuration.secrets, apiPassword: apiSecret() } };
    const first = await nodes.launch(imageId, withApi);
    await nodes.waitUntilActive(first);
    ids = [first, await nodes.launch(imageId, withApi)];
    await pairOf(nodes, ids);
  });
  // An instance that a rotation has made a standby arms its Eclair.
  beforeEach(async () => {
    await pairOf(nodes, ids);
  });
  afterAll(async () => {
    await Promise.all(ids.map((id) => nodes.terminate(id)));
  });

  test("the database has another login after one switchover, and the previous password is refused", async () => {
    const before = await currentLogin();
    const { standby } = await pairOf(nodes, ids);
    const takeovers = await epochs();
    const result = await rotate();
    expect(result.exitCode, result.all).toBe(0);
    expect(result.stdout).toMatch(new RegExp(`^tested +${standby} `, "m"));
    expect(result.stdout).toMatch(/^finished +login eclair is disabled$/m);
    expect(await epochs()).toBe(takeovers + 1);
    const after = await currentLogin();
    expect(after.username).toBe("eclair_a");
    expect(await loginsInUse()).toBe("eclair_a");
    expect((await logIn(after)).stdout).toBe("eclair");
    expect((await logIn(before)).stderr).toMatch(
      /role "eclair" is not permitted to log in|password authentication failed/,
    );
    const { VersionIdsToStages = {} } = await nodes.secrets.send(
      new DescribeSecretCommand({ SecretId: secret() }),
    );
    expect(Object.values(VersionIdsToStages).flat()).not.toContain("AWSPENDING");
    expect(await nodes.sql("select minimum_image_version from eclair_ami.fence")).toBe("6");
  });

  test("`verify` and `init` accept the rotated login, and change nothing", async () => {
    const verified = await nodes.runSetup(["verify"], imageId);
    expect(verified.exitCode, verified.all).toBe(0);
    const again = await nodes.runSetup(["init"], imageId);
    expect(again.stdout, again.all).toMatch(/^created +nothing/m);
  });

  test("a rotation that is interrupted after each step continues, with one switchover", async () => {
    const takeovers = await epochs();
    const switchover = async () => (await nodes.table.switchovers.read())?.id;
    const earlier = await switchover();
    for (const step of ["prepared", "tested", "promoted"]) await rotateUntil(step);
    // The program may have requested the switchover before it was killed.
    if ((await switchover()) === earlier) await rotateUntil("switched-over");
    await eventually("one switchover", async () => ((await epochs()) === takeovers + 1 ? true : undefined));
    await pairOf(nodes, ids);
    // The active instance uses the new login.
    const abandoned = await rotate("--abandon", "--json");
    expect(failureOf(abandoned)).toMatchObject({
      code: "rotation.in-progress",
      message: expect.stringMatching(/^the active instance uses the new login/) as string,
    });
    const result = await rotate();
    expect(result.exitCode, result.all).toBe(0);
    expect(result.stdout).toMatch(/^resumed /m);
    expect(await epochs()).toBe(takeovers + 1);
    expect((await currentLogin()).username).toBe("eclair_b");
    expect(await loginsInUse()).toBe("eclair_b");
  });

  test("a rotation that is abandoned changes nothing, and a rotation of another secret cannot begin before", async () => {
    const before = await currentLogin();
    await rotateUntil("prepared");
    const other = await cli([
      ...["rotate", "api", "--state", state, "--image", imageId],
      ...["--config", apiSetupFile(), "--json"],
    ]);
    expect(failureOf(other)).toMatchObject({
      code: "rotation.in-progress",
      message: `the rotation of the kind database in secret ${secret()} is not finished`,
    });
    const waitForLogins = async (...logins: string[]) =>
      await eventually(`the hosts to use the logins ${logins.join()}`, async () =>
        (await loginsInUse()) === logins.toSorted().join() ? true : undefined,
      );
    await waitForLogins(before.username, otherLogin(before.username));
    const abandoned = await rotate("--abandon");
    expect(abandoned.stdout, abandoned.all).toMatch(/^abandoned +the rotation in version /m);
    expect(await currentLogin()).toEqual(before);
    await waitForLogins(before.username);
    await pairOf(nodes, ids);
  });

  test("a rotation names the sessions that use the next or the previous login, and continues when they have ended", async () => {
    const previous = await currentLogin();
    const next = otherLogin(previous.username);
    await nodes.sql(`alter role ${next} with login password 'x'`);
    const early = await session({ username: next, password: "x" });
    const refused = await rotate("--json");
    await early.end();
    expect(failureOf(refused)).toMatchObject({
      code: "rotation.login-in-use",
      message: expect.stringMatching(new RegExp(`^sessions use the login: ${next} from `)) as string,
    });
    const late = await session(previous);
    const unfinished = await rotate("--json");
    await late.end();
    expect(failureOf(unfinished)).toMatchObject({
      code: "rotation.login-in-use",
      message: expect.stringMatching(
        new RegExp(`^sessions use the login: ${previous.username} from `),
      ) as string,
    });
    const result = await rotate();
    expect(result.stdout, result.all).toMatch(
      new RegExp(`^finished +login ${previous.username} is disabled$`, "m"),
    );
  });

  test.each([
    ["another login", { username: "other", password: "x" }, /contains the login other, and eclair_/],
    ["its own password", {}, /contains a password that this program has not generated/],
  ])("a pending version with %s of another party is refused", async (_, change, message) => {
    const next = otherLogin((await currentLogin()).username);
    const { VersionId } = await nodes.secrets.send(
      new PutSecretValueCommand({
        SecretId: secret(),
        SecretString: JSON.stringify({ username: next, password: "weak", ...change }),
        VersionStages: ["AWSPENDING"],
      }),
    );
    expect(failureOf(await rotate("--json"))).toMatchObject({
      code: "rotation.secret-changed",
      message: expect.stringMatching(message) as string,
    });
    await nodes.secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId: secret(),
        VersionStage: "AWSPENDING",
        RemoveFromVersionId: VersionId,
      }),
    );
  });

  test("during a rotation, a standby claims the lease of a frozen holder with the other login, and ends its sessions", async () => {
    const { username: before } = await currentLogin();
    await rotateUntil("tested");
    const { active } = await pairOf(nodes, ids);
    const address = (await nodes.status(active))?.privateIp ?? "";
    const sessions = () =>
      nodes.sql(
        `select count(*) from pg_stat_activity where application_name like 'eclair/%' and client_addr = '${address}'`,
      );
    const takeovers = await epochs();
    expect(Number(await sessions())).toBeGreaterThan(0);
    await nodes.inGuest(active, "pkill -STOP -u eclair; systemctl kill --signal=SIGSTOP eclair-supervisor");
    // The lease of 40 s would end later.
    await eventually(
      "the other host to claim the lease",
      async () => ((await epochs()) === takeovers + 1 ? true : undefined),
      claimWithinSeconds,
    );
    expect(await sessions()).toBe("0");
    await nodes.inGuest(active, "pkill -CONT -u eclair; systemctl kill --signal=SIGCONT eclair-supervisor");
    await pairOf(nodes, ids);
    const result = await rotate();
    expect(result.exitCode, result.all).toBe(0);
    expect(result.stdout).not.toMatch(/^switchover/m);
    expect(await epochs()).toBe(takeovers + 1);
    expect(await loginsInUse()).toBe(otherLogin(before));
  });

  test("an instance that starts during a rotation boots, and the rotation waits for it", async () => {
    const { username: before } = await currentLogin();
    const running = rotate();
    const third = await nodes.launch(imageId, {
      secrets: { ...nodes.configuration.secrets, apiPassword: apiSecret() },
    });
    ids = [...ids, third];
    const result = await running;
    expect(result.exitCode, result.all).toBe(0);
    // The rotation may have switched over to it.
    await eventually("the third instance", async () =>
      (await nodes.status(third))?.report?.ready === true ? true : undefined,
    );
    expect(await loginsInUse()).toBe(otherLogin(before));
    await nodes.terminate(third);
    await nodes.waitUntilTerminated(third);
    ids = ids.filter((id) => id !== third);
    await pairOf(nodes, ids);
  });

  test("the password of Eclair's API is another one after one switchover, and the previous one is refused", async () => {
    const takeovers = await epochs();
    const { active: before } = await pairOf(nodes, ids);
    expect(await apiStatus(before, firstApiPassword)).toBe("200");
    const flags = ["--state", state, "--image", imageId, "--config", apiSetupFile()];

    const denial = { service: "api", code: "AccessDeniedException", status: 400 } as const;
    setFaults(nodes.lab, nodes.name, [{ ...denial, action: "PutSecretValue", until: Date.now() + 120_000 }]);
    const denied = await cli(["rotate", "api", ...flags, "--json"]);
    setFaults(nodes.lab, nodes.name, []);
    expect(failureOf(denied)).toMatchObject({ code: "secret.denied" });
    expect(await epochs()).toBe(takeovers);

    const result = await cli(["rotate", "api", ...flags]);
    expect(result.exitCode, result.all).toBe(0);
    expect(await epochs()).toBe(takeovers + 1);
    const { SecretString = "" } = await nodes.secrets.send(
      new GetSecretValueCommand({ SecretId: apiSecret() }),
    );
    expect(SecretString).toMatch(/^[0-9a-f]{64}$/);
    const { active } = await pairOf(nodes, ids);
    expect(await apiStatus(active, SecretString)).toBe("200");
    expect(await apiStatus(active, firstApiPassword)).toBe("401");
    const without = await cli(["rotate", "api", ...flags.slice(0, -1), nodes.setupFile, "--json"]);
    expect(failureOf(without)).toMatchObject({ code: "rotation.no-secret" });
  });

  test("RDS rotates the login of the owner, and the next cluster setup uses it", async () => {
    const { ownerSecret } = (
      parse(readFileSync(nodes.setupFile, "utf8")) as { database: { ownerSecret: string } }
    ).database;
    const ownerLogin = async () => {
      const { SecretString = "" } = await nodes.secrets.send(
        new GetSecretValueCommand({ SecretId: ownerSecret }),
      );
      return Credentials.parse(JSON.parse(SecretString));
    };
    const before = await ownerLogin();
    const result = await cli(["rotate", "owner", "--state", state, "--config", nodes.setupFile]);
    expect(result.exitCode, result.all).toBe(0);
    expect((await ownerLogin()).password).not.toBe(before.password);
    expect((await logIn(before)).stderr).toMatch(/password authentication failed/);
    const again = await nodes.runSetup(["init"], imageId);
    expect(again.stdout, again.all).toMatch(/^created +nothing/m);
  });

  test("a change of the secret by another party ends the rotation, and the node continues", async () => {
    const before = await currentLogin();
    const running = nodes.runSetup(["rotate", "database"], imageId, "--json");
    running.stdout.on("data", (chunk: Buffer) => {
      if (!chunk.toString().includes("rotation.prepared")) return;
      void nodes.secrets.send(
        new PutSecretValueCommand({
          SecretId: secret(),
          SecretString: JSON.stringify({ ...before, note: "x" }),
        }),
      );
    });
    expect(failureOf(await running)).toMatchObject({ code: "rotation.secret-changed" });
    expect(await currentLogin()).toEqual(before);
    await pairOf(nodes, ids);
    expect(await nodes.sql("select count(*) > 0 from lease where expires_at > now()")).toBe("t");
  });

  test.each([
    ["acts as itself", "reset role"],
    ["has no settings at all", "reset all"],
  ])("a login that %s is refused, and `init` restores its settings", async (_, change) => {
    const { username } = await currentLogin();
    await nodes.sql(`alter role ${username} ${change}`);
    const refused = await nodes.runSetup(["verify"], imageId, "--json");
    expect(failureOf(refused)).toMatchObject({
      code: "fence.not-enforced",
      message: expect.stringMatching(new RegExp(`the (login|role) ${username} `)) as string,
    });
    const restored = await nodes.runSetup(["init"], imageId);
    expect(restored.exitCode, restored.all).toBe(0);
    const verified = await nodes.runSetup(["verify"], imageId);
    expect(verified.exitCode, verified.all).toBe(0);
  });

  test("a login whose sessions the owner cannot see is refused", async () => {
    const { username } = await currentLogin();
    const owner = await nodes.sql("select datdba::regrole from pg_database where datname = 'eclair'");
    // From PostgreSQL 16 on, each grant has its grantor.
    await nodes.sql(`set role "${owner}"; revoke ${username} from "${owner}"`);
    const refused = await nodes.runSetup(["verify"], imageId, "--json");
    expect(failureOf(refused)).toMatchObject({
      message: expect.stringMatching(/the owner of the fence cannot see the sessions of the login/) as string,
    });
    const [id = ""] = ids;
    const address = (await nodes.status(id))?.privateIp ?? "";
    // A host whose sessions are hidden must not look silent.
    expect(await nodes.sql(`select eclair_ami.sessions_at('${address}') is null`)).toBe("t");
    await nodes.sql(`set role "${owner}"; grant ${username} to "${owner}"`);
  });
});

test.each(inject("images"))(
  "the only instance of a node gets another login ($eclair)",
  async ({ eclair, id: imageId }) => {
    const nodes = await cluster(state, `rotation-one-${eclair}`, imageId);
    const id = await nodes.launch(imageId);
    await nodes.waitUntilActive(id);
    const refused = await nodes.runSetup(["rotate", "database"], imageId, "--json");
    expect(failureOf(refused)).toMatchObject({ code: "rotation.no-standby" });
    await nodes.sql("create role eclair_a");
    const taken = await nodes.runSetup(["rotate", "database"], imageId, "--restart", "--json");
    expect(failureOf(taken)).toMatchObject({ code: "database.role-exists" });
    await nodes.sql("drop role eclair_a");
    const result = await nodes.runSetup(["rotate", "database"], imageId, "--restart");
    expect(result.exitCode, result.all).toBe(0);
    expect(result.stdout).toMatch(new RegExp(`^restarted +${id}`, "m"));
    expect(result.stdout).toMatch(/^finished +login eclair is disabled$/m);
    await nodes.waitUntilActive(id);
    expect(await nodes.sql("select count(*) from eclair_ami.epoch")).toBe("2");
    await nodes.terminate(id);
  },
);
