import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../failure.ts";
import { logLine } from "../log.ts";
import { expectedOf, readNodeRecord, type NodeRecord } from "../node-record.ts";
import { BootRecord } from "../phases.ts";
import { places } from "../places.ts";
import { clusterTable, impatient } from "../record/open.ts";
import { SupervisorSecrets } from "../secrets/supervisor.ts";
import { lookAtBitcoind } from "./bitcoind.ts";
import { boottime } from "./clock.ts";
import { decide, type Decision } from "./decide.ts";
import { killEclair, lookAtEclair, startEclair } from "./eclair.ts";
import { healthPort, healthServer } from "./health.ts";
import { NodeDatabase } from "./database.ts";
import { StartGuard } from "./guard.ts";
import { Mirror } from "./mirror.ts";
import { Reporter } from "./report.ts";
import { notify } from "./notify.ts";
import type { Observation } from "./observation.ts";
import { bitcoindRpc, type Rpc } from "./rpc.ts";
import type { InstanceState } from "./state.ts";
import { version } from "../version.ts";
import { NodeWallet } from "./wallet.ts";

const everyMilliseconds = 1_000;
/** A supervisor that has not looked for so long is not live, and systemd starts it again. */
const stuckSeconds = 15;
const notifyEverySeconds = 5;
const firstBackOffSeconds = 1;
const longestBackOffSeconds = 60;
const guardAgainSeconds = 5;

/** Runs Eclair on this host whenever it may run here, and says how it stands; ends on SIGTERM. */
export async function supervise(): Promise<void> {
  const node = readNodeRecord();
  const secrets = SupervisorSecrets.parse(JSON.parse(readFileSync(places.supervisorSecrets, "utf8")));
  const supervisor = new Supervisor(node, secrets);
  const server = healthServer(() => supervisor.state());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(healthPort, "0.0.0.0", resolve);
  });
  await notify("--ready", "--status=looking around");

  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  let told = 0;
  while (!stop.signal.aborted) {
    await supervisor.pass();
    if (boottime() - told >= notifyEverySeconds) {
      told = boottime();
      await notify("WATCHDOG=1", `--status=${supervisor.summary()}`);
    }
    await sleep(everyMilliseconds, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  // systemd has stopped Eclair by now: it is part of this unit and ordered after it.
  await notify("--stopping");
  await supervisor.end();
  server.close();
  server.closeAllConnections();
}

class Supervisor {
  private readonly node: NodeRecord;
  private readonly secrets: SupervisorSecrets;
  private readonly boot: BootRecord;
  private readonly rpc: Rpc;
  private readonly wallet: NodeWallet;
  private readonly database: NodeDatabase;
  private readonly guard: StartGuard;
  private readonly mirror: Mirror;
  private readonly reporter: Reporter;
  private observation: Observation = {
    bitcoind: { seen: false, why: "not looked at yet" },
    lease: { seen: false, why: "not looked at yet" },
    eclair: { unit: "stopped", process: 0 },
  };
  private decision: Decision = { role: "waiting", action: "none", reasons: ["the supervisor is starting"] };
  private since = new Date();
  private lookedAt = boottime();
  /** Until then, on CLOCK_BOOTTIME, the lease of this host's Eclair was seen to be valid. */
  private leaseValidUntil = 0;
  private wrongNode: string | undefined;
  /** Eclair was started here or seen to run, and its end has not been noted yet. */
  private expected = false;
  private failures = 0;
  private startAgainAt = 0;
  private guardAgainAt = 0;

  constructor(node: NodeRecord, secrets: SupervisorSecrets) {
    this.node = node;
    this.secrets = secrets;
    this.boot = BootRecord.parse(JSON.parse(readFileSync(places.boot, "utf8")));
    const { configuration } = node;
    this.rpc = bitcoindRpc(configuration, secrets.supervisor);
    this.wallet = new NodeWallet(configuration, secrets.watched, this.rpc);
    const ca = readFileSync(places.databaseCa, "utf8");
    const { database } = configuration;
    this.database = new NodeDatabase({ database, login: secrets.database, ca });
    const table = clusterTable(node, impatient);
    this.guard = new StartGuard(expectedOf(node), configuration, table, this.database);
    const place = { host: database.host, port: database.port, name: database.name };
    this.mirror = new Mirror(table, this.database, place, node.eclair);
    this.reporter = new Reporter(table, node.identity.instanceId);
  }

  /** Looks around once and does what follows from it. */
  async pass(): Promise<void> {
    const askedAt = boottime();
    const [bitcoind, lease, eclair] = await Promise.all([
      lookAtBitcoind(this.rpc, this.wallet),
      this.database.lease(),
      this.eclair(),
    ]);
    this.noteEnd(eclair);
    this.observation = { bitcoind, lease, eclair };
    if (lease.seen && eclair.info !== undefined && lease.holder === eclair.info.instanceId)
      this.leaseValidUntil = askedAt + lease.remaining;
    const { nodeId, chain } = this.node.configuration;
    if (eclair.info !== undefined && eclair.info.nodeId !== nodeId) this.wrongNode = eclair.info.nodeId;
    // Without a running Eclair the guard looks anew, before the next start.
    if (eclair.unit === "stopped") this.mirror.forget();
    const { superseded } = this.mirror;
    const decision = decide(this.observation, {
      chain,
      backOff: this.startAgainAt - boottime(),
      ...(this.wrongNode !== undefined && { wrongNode: this.wrongNode }),
      ...(superseded !== undefined && { superseded }),
    });
    this.enter(decision.action === "start" ? await this.guarded(decision) : decision);
    await this.act();
    this.lookedAt = boottime();
    if (this.decision.role === "active" && eclair.info !== undefined)
      this.mirror.whileActive(eclair.info.instanceId);
    this.reporter.tell(this.state());
  }

  state(): InstanceState {
    const { configuration, identity } = this.node;
    const { bitcoind, lease, eclair } = this.observation;
    const active = this.decision.role === "active" && boottime() < this.leaseValidUntil;
    return {
      live: boottime() - this.lookedAt < stuckSeconds,
      ready: active || this.decision.role === "standby",
      active,
      role: this.decision.role,
      reasons: [...this.decision.reasons],
      since: this.since.toISOString(),
      cluster: configuration.cluster,
      nodeId: configuration.nodeId,
      chain: configuration.chain,
      identity,
      bitcoind,
      lease,
      eclair,
      record: this.mirror.seen,
      versions: { eclair: this.node.eclair, bootstrap: version },
      boot: this.boot,
    };
  }

  summary(): string {
    return [this.decision.role, ...this.decision.reasons].join("; ");
  }

  async end(): Promise<void> {
    await this.mirror.end();
    await this.reporter.end(this.state());
    await this.database.close();
  }

  /** Eclair is started only when record and database are the node's; a refusal is looked at again after a while. */
  private async guarded(decision: Decision): Promise<Decision> {
    const waiting = { role: "waiting", action: "none" } as const;
    if (boottime() < this.guardAgainAt) return { ...waiting, reasons: this.decision.reasons };
    const started = performance.now();
    const refusal = await this.guard.refusal();
    if (refusal === undefined) {
      logLine("guard", { milliseconds: Math.round(performance.now() - started) });
      return decision;
    }
    this.guardAgainAt = boottime() + guardAgainSeconds;
    const reason = `${refusal.code}: ${refusal.message}`;
    if (!this.decision.reasons.includes(reason))
      logLine("guard", { code: refusal.code, cause: refusal.message, remedy: refusal.remedy });
    return { ...waiting, reasons: [reason] };
  }

  /** What was seen last, when systemd does not answer. */
  private async eclair(): Promise<Observation["eclair"]> {
    try {
      return await lookAtEclair(this.secrets.apiPassword);
    } catch (error) {
      logLine("look", { failed: messageOf(error) });
      return this.observation.eclair;
    }
  }

  /** Eclair that ended by itself, however soon, is started again, each time a little later. */
  private noteEnd(eclair: Observation["eclair"]): void {
    if (eclair.unit === "running") this.expected = true;
    if (eclair.unit !== "stopped" || !this.expected) return;
    this.expected = false;
    this.failures += 1;
    const pause = Math.min(firstBackOffSeconds * 2 ** (this.failures - 1), longestBackOffSeconds);
    this.startAgainAt = boottime() + pause;
    logLine("eclair-ended", { process: this.observation.eclair.process, startAgainInSeconds: pause });
  }

  private enter(decision: Decision): void {
    if (decision.role !== this.decision.role) {
      this.since = new Date();
      logLine("role", { role: decision.role, was: this.decision.role, reasons: decision.reasons });
    }
    if (decision.role === "active") this.failures = 0;
    this.decision = decision;
  }

  private async act(): Promise<void> {
    try {
      if (this.decision.action === "start") {
        await startEclair();
        this.expected = true;
      }
      if (this.decision.action === "kill") await killEclair();
    } catch (error) {
      logLine(this.decision.action, { failed: messageOf(error) });
    }
  }
}
