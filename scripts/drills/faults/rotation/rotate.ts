import { setTimeout as sleep } from "node:timers/promises";
import type { RpcCredentials } from "../../../../bootstrap/bitcoind/rpc/client.ts";
import { rpcPort } from "../../../lab/miner/rpc.ts";
import { rotate, killRotation, type DrilledKind, type StepLine } from "../../actions/rotation.ts";
import { readSecret } from "../../actions/secrets.ts";
import type { Drill } from "../../drill.ts";
import { databaseOf, type DrillEnvironment, type Remotes } from "../../environment.ts";
import { DrillFailure, type DrillRun } from "../../run.ts";

/** A rotation takes longer: a command that is killed within this time is killed in any of its steps. */
const killWithinMilliseconds = 12_000;
const kills = 3;
const unauthorized = "401";

/** Rotations of the logins while the node serves. */
export const drills: readonly Drill[] = [
  {
    name: "rotate-database",
    keepsConnections: true,
    title: "The login of the database is rotated, with one switchover",
    execute: async (run) => {
      await withOneTakeover(run, async () => await rotateWithSwitchover(run, "database"));
      await requireOneLogin(run.environment);
    },
  },
  {
    name: "rotate-api",
    keepsConnections: true,
    title: "The password of Eclair's API is rotated, with one switchover",
    execute: async (run) => {
      const { environment, observers, pair } = run;
      await withOneTakeover(run, async () => await rotateWithSwitchover(run, "api"));
      for (const id of [pair.active, pair.standby]) {
        await observers.stopLoad(id);
        await observers.startLoad(environment, id);
      }
    },
  },
  {
    name: "rotate-bitcoind",
    keepsConnections: true,
    title:
      "The login at the remote bitcoinds is rotated, with one switchover, and the previous one is removed",
    usesRemotes: true,
    execute: async (run) => {
      const { remotes } = run.environment;
      if (remotes === undefined) throw new DrillFailure("the drill has no remote bitcoinds");
      const previous = await currentLogin(run.environment);
      let line = "";
      await withOneTakeover(run, async () => {
        const installations: Promise<void>[] = [];
        await rotateWithSwitchover(run, "bitcoind", ({ rpcauth }) => {
          if (rpcauth === undefined) return;
          line = rpcauth;
          installations.push(changeLogins(remotes, (logins) => [...logins, rpcauth]));
        });
        await Promise.all(installations);
      });
      await changeLogins(remotes, () => [line]);
      await run.waitUntilBitcoindsWork(Date.now() + reportedWithinMilliseconds);
      await requireRefused(run, remotes, previous);
    },
  },
  {
    name: "rotate-owner",
    keepsConnections: true,
    title: "RDS changes the login of the database's owner, and no Eclair is restarted",
    execute: async (run) => {
      const before = await takeovers(run.environment);
      await run.inject(async () => await rotate(run.environment, "owner"));
      await run.waitUntilServing([run.pair.active], Date.now());
      if ((await takeovers(run.environment)) !== before)
        throw new DrillFailure("the rotation caused a takeover");
    },
  },
  {
    name: "kill-rotation",
    keepsConnections: true,
    title: `The rotation of the database's login is killed ${kills} times at any moment, and then continued`,
    execute: async (run) => {
      await withOneTakeover(run, async () => {
        run.faultAt = Date.now();
        for (let kill = 1; kill <= kills; kill += 1) {
          if (await killRotation(run.environment, "database", { milliseconds: randomMoment() })) continue;
          if (kill === 1) throw new DrillFailure("the rotation ended before it was killed");
          return;
        }
        await rotate(run.environment, "database");
      });
      await run.waitUntilServing([run.pair.active, run.pair.standby], Date.now());
      await requireOneLogin(run.environment);
    },
  },
];

const randomMoment = () => Math.random() * killWithinMilliseconds;

async function rotateWithSwitchover(
  run: DrillRun,
  kind: DrilledKind,
  onStep: (step: StepLine) => void = () => undefined,
): Promise<void> {
  await rotate(run.environment, kind, (step) => {
    // The switchover follows within seconds.
    if (step.step === "promoted") run.faultAt = Date.now();
    onStep(step);
  });
  await run.waitUntilServing([run.pair.standby]);
}

/** The gate has tried the restarted bitcoinds after this time. A changed problem alone causes no report. */
const reportedWithinMilliseconds = 10_000;

const takeovers = async (environment: DrillEnvironment) =>
  Number(await databaseOf(environment).sql("select count(*) from eclair_ami.epoch"));

async function withOneTakeover({ environment }: DrillRun, task: () => Promise<void>): Promise<void> {
  const before = await takeovers(environment);
  await task();
  const caused = (await takeovers(environment)) - before;
  if (caused !== 1) throw new DrillFailure(`the rotation caused ${caused} takeovers`);
}

async function requireOneLogin(environment: DrillEnvironment): Promise<void> {
  const logins = await databaseOf(environment).sql(
    "select count(*) from pg_roles where rolcanlogin and oid = any (eclair_ami.logins())",
  );
  if (logins !== "1") throw new DrillFailure(`${logins} logins work after the rotation`);
}

async function currentLogin({ target, configuration }: DrillEnvironment): Promise<RpcCredentials> {
  return JSON.parse(await readSecret(target, `${configuration.cluster}/bitcoind`)) as RpcCredentials;
}

/** A removed login does not work, from the host of an instance. */
async function requireRefused(
  run: DrillRun,
  { first, second }: Remotes,
  { username, password }: RpcCredentials,
): Promise<void> {
  for (const { address } of [first, second]) {
    const status = await run.runOnHost(
      run.pair.standby,
      `curl --silent --output /dev/null --write-out '%{http_code}' --user '${username}:${password}' --data '{}' http://${address}:${rpcPort}/`,
    );
    if (status !== unauthorized)
      throw new DrillFailure(`bitcoind ${address} answers the previous login with the status ${status}`);
  }
}

/** Restarts one bitcoind after the other, as an operator does. */
async function changeLogins(
  { first, second }: Remotes,
  change: (logins: readonly string[]) => readonly string[],
): Promise<void> {
  for (const remote of [first, second]) {
    remote.logins = change(remote.logins);
    await remote.stop();
    await remote.start();
    await sleep(1_000);
  }
}
