import { setTimeout as sleep } from "node:timers/promises";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { messageOf } from "../failure.ts";
import { logLine } from "../log.ts";
import { expectedOf, type NodeRecord } from "../node-record.ts";
import { BootRecord } from "../phases.ts";
import { places } from "../places.ts";
import { clusterTable, impatient } from "../record/open.ts";
import type { SupervisorSecrets } from "../secrets/supervisor.ts";
import { version } from "../version.ts";
import { askEclair } from "./api.ts";
import { lookAtBitcoind } from "./bitcoind.ts";
import { boottime } from "./clock.ts";
import { NodeDatabase } from "./database.ts";
import { decide, type Decision, type Role } from "./decide.ts";
import { Eclairs } from "./eclairs.ts";
import { StartGuard } from "./guard.ts";
import type { Standing } from "./lifecycle.ts";
import { Mirror } from "./mirror.ts";
import { notify } from "./notify.ts";
import type { Bitcoind, Eclair, Lease } from "./observation.ts";
import { Outside } from "./outside.ts";
import { bitcoindRpc, type Rpc } from "./rpc.ts";
import type { Slot } from "./slot.ts";
import type { InstanceState } from "./state.ts";
import { NodeWallet } from "./wallet.ts";
import { Watchdog } from "./watchdog.ts";

/** A supervisor that has not followed the lease, or not looked around, for so long hangs. */
const turnsWithinSeconds = 15;
const looksWithinSeconds = 60;
const firstBackOffSeconds = 1;
const longestBackOffSeconds = 60;
/** An Eclair that served for so long before it ended does not flap. */
const steadySeconds = 10;
const guardAgainSeconds = 5;
const unreachableAgainSeconds = 1;
const armAgainSeconds = 5;
/** When an Eclair has ended here another host takes over first: what this one has to do for the next can wait. */
const yieldSeconds = 3;
/** While it is one of these, nobody misses this host for the seconds of a boot. */
const passiveRoles: readonly Role[] = ["standby", "waiting"];
/** Eclair's own clean end takes five seconds, and ten when something hangs. */
const leaveWithinSeconds = 30;
/** From Eclair's start to its first connection, with some to spare, where it is not armed long before. */
const aheadSeconds = 4;

/**
 * Runs Eclair on this host whenever it may run here. Three things go on beside each other: `turn` follows the lease and
 * acts, `look` asks what is slower to ask, and `watch` waits for nothing and ends an Eclair whose lease may run out.
 */
export class Supervisor {
  private readonly node: NodeRecord;
  private readonly secrets: SupervisorSecrets;
  private readonly boot: BootRecord;
  private readonly rpc: Rpc;
  private readonly wallet: NodeWallet;
  /** For the lease alone, so that nothing else delays it. */
  private readonly leases: NodeDatabase;
  private readonly database: NodeDatabase;
  private readonly guard: StartGuard;
  private readonly mirror: Mirror;
  private readonly outside: Outside;
  private readonly eclairs: Eclairs;
  private readonly watchdog: Watchdog;
  private bitcoind: Bitcoind = { seen: false, why: "not looked at yet" };
  private lease: Lease = { seen: false, why: "not looked at yet" };
  private info: Eclair["info"];
  private asking = false;
  private decision: Decision = { role: "waiting", action: "none", reasons: ["the supervisor is starting"] };
  private since = new Date();
  private roleAt = boottime();
  private turnedAt = boottime();
  private lookedAt = boottime();
  private wrongNode: string | undefined;
  /** The lease of an Eclair that has ended here, until it is known to be free. */
  private left: string | undefined;
  private described: string | undefined;
  /** Why this host starts nothing any more. */
  private leaving: string | undefined;
  private bitcoindAnsweredAt = boottime();
  private handing = false;
  private failures = 0;
  private openAgainAt = 0;
  /** Why record or database refuse this host, as far as was looked. */
  private refusal: string | undefined;
  private guardAgainAt = 0;
  private armAgainAt = 0;
  private yieldUntil = 0;

  constructor(node: NodeRecord, secrets: SupervisorSecrets) {
    this.node = node;
    this.secrets = secrets;
    this.boot = BootRecord.parse(JSON.parse(readFileSync(places.boot, "utf8")));
    const { configuration } = node;
    this.rpc = bitcoindRpc(configuration, secrets.supervisor);
    this.wallet = new NodeWallet(configuration, secrets.watched, this.rpc);
    const ca = readFileSync(places.databaseCa, "utf8");
    const { database } = configuration;
    this.leases = new NodeDatabase({ database, login: secrets.database, ca });
    this.database = new NodeDatabase({ database, login: secrets.database, ca });
    const table = clusterTable(node, impatient);
    this.guard = new StartGuard(expectedOf(node), configuration, table, this.database);
    const place = { host: database.host, port: database.port, name: database.name };
    this.mirror = new Mirror(table, this.database, place, node.eclair);
    this.outside = new Outside(node, secrets, table);
    this.eclairs = new Eclairs(place, (slot) => this.noteEnd(slot));
    this.watchdog = new Watchdog(database.leaseSeconds);
  }

  /** Takes up where a supervisor before it, if there was one, has ended. */
  async begin(): Promise<void> {
    await this.eclairs.clear();
    await this.eclairs.listen();
    if (existsSync(places.holder)) this.left = readFileSync(places.holder, "utf8");
  }

  /** Follows the lease, and does what follows from it. */
  async turn(): Promise<void> {
    this.eclairs.notice();
    const askedAt = boottime();
    this.lease = await this.leases.lease();
    this.watchdog.see(this.lease, askedAt, this.eclairs.open?.instanceId);
    if (this.left !== undefined) await this.giveBack(this.left);
    this.enter(await this.guarded());
    await this.act();
    this.turnedAt = boottime();
    if (this.eclairs.open !== undefined && this.info === undefined) void this.ask();
  }

  /** Asks bitcoind, systemd and Eclair, keeps the armed one fresh, and tells others how this host stands. */
  async look(): Promise<void> {
    const [bitcoind] = await Promise.all([
      lookAtBitcoind(this.rpc, this.wallet),
      this.lookAtUnits(),
      this.ask(),
    ]);
    this.bitcoind = bitcoind;
    if (bitcoind.seen || bitcoind.warmingUp === true) this.bitcoindAnsweredAt = boottime();
    await this.keepFresh();
    const { open } = this.eclairs;
    if (this.decision.role === "active" && open?.instanceId !== undefined) {
      this.mirror.whileActive(open.instanceId);
      await this.describe(open.instanceId);
    }
    const state = this.state();
    this.outside.look(state, this.since, this.standing(), {
      hand: () => this.hand(),
      standDown: (why) => this.standDown(why),
      isPassive: () => passiveRoles.includes(this.decision.role),
    });
    this.lookedAt = boottime();
  }

  /** Whether it does what it is there for; systemd ends one that does not. */
  get isLive(): boolean {
    const now = boottime();
    return now - this.turnedAt < turnsWithinSeconds && now - this.lookedAt < looksWithinSeconds;
  }

  /** Ends an Eclair whose lease may run out; waits for nothing and nobody. */
  watch(): void {
    const { open } = this.eclairs;
    if (open === undefined || !open.gate.isOpen || !this.watchdog.isOver(boottime())) return;
    logLine("watchdog", { killed: open.process, eclair: open.instanceId });
    void tried("kill", () => open.kill());
  }

  state(): InstanceState {
    const { configuration, identity } = this.node;
    const active = this.decision.role === "active" && this.watchdog.left(boottime()) > 0;
    return {
      live: this.isLive,
      ready: active || this.decision.role === "standby",
      active,
      role: this.decision.role,
      reasons: [...this.decision.reasons],
      since: this.since.toISOString(),
      cluster: configuration.cluster,
      nodeId: configuration.nodeId,
      chain: configuration.chain,
      identity,
      bitcoind: this.bitcoind,
      lease: this.lease,
      eclair: { ...this.eclair(), armsLate: this.armsLate },
      record: this.mirror.seen,
      versions: { eclair: this.node.eclair, bootstrap: version },
      boot: this.boot,
    };
  }

  summary(): string {
    return [this.decision.role, ...this.decision.reasons].join("; ");
  }

  async leave(): Promise<void> {
    this.leaving ??= "the supervisor is stopping";
    await notify("--stopping");
    await this.standDown(this.leaving);
  }

  /** Starts nothing any more, and lets Eclair end cleanly; its gate stays open until then. */
  private async standDown(why: string): Promise<void> {
    this.leaving = why;
    this.enter(this.decide());
    const end = boottime() + leaveWithinSeconds;
    await tried("leave", async () => this.eclairs.open?.stop());
    while (this.eclairs.slots.some(({ unit }) => unit !== "stopped") && boottime() < end) {
      // Also one that was just being started.
      for (const slot of this.eclairs.slots)
        if (slot.armed || slot.arming) await tried("leave", () => slot.kill());
      await sleep(50);
    }
  }

  async end(): Promise<void> {
    await this.mirror.end();
    await this.outside.end(this.state());
    await Promise.all([this.leases.close(), this.database.close()]);
  }

  private decide(): Decision {
    if (this.leaving !== undefined) return { role: "stopping", action: "none", reasons: [this.leaving] };
    const { superseded } = this.mirror;
    const { holdBack } = this.outside;
    return decide(
      { bitcoind: this.bitcoind, lease: this.lease, eclair: this.eclair() },
      {
        chain: this.node.configuration.chain,
        held: this.watchdog.held,
        backOff: this.openAgainAt - boottime(),
        armAt: this.armsLate ? aheadSeconds : Infinity,
        ...(this.wrongNode !== undefined && { wrongNode: this.wrongNode }),
        ...(superseded !== undefined && { superseded }),
        ...(this.refusal !== undefined && { refusal: this.refusal }),
        ...(holdBack !== undefined && { holdBack }),
      },
    );
  }

  private get armsLate(): boolean {
    return !this.node.configuration.failover.armed;
  }

  /** How this instance stands for its Auto Scaling group: a bitcoind elsewhere is not mended by another instance. */
  private standing(): Standing {
    const isLocal = this.node.configuration.bitcoind.local !== undefined;
    return {
      healthy: this.bitcoind.seen,
      brokenFor: isLocal ? boottime() - this.bitcoindAnsweredAt : 0,
    };
  }

  private eclair(): Eclair {
    const { open, armed, arming } = this.eclairs;
    const waiting = arming === undefined ? "no" : "starting";
    return {
      unit: open?.unit ?? "stopped",
      process: open?.process ?? 0,
      ...(open?.instanceId !== undefined && { instanceId: open.instanceId }),
      ...(open !== undefined && this.info !== undefined && { info: this.info }),
      armed: armed === undefined ? waiting : "yes",
    };
  }

  /** What to do; Eclair is started and goes on only when record and database are the node's. */
  private async guarded(): Promise<Decision> {
    if (this.refusal !== undefined && boottime() >= this.guardAgainAt) await this.consult();
    const decision = this.decide();
    if (decision.action === "arm" && !this.mayArm()) return { ...decision, action: "none" };
    if (decision.action !== "arm" && decision.action !== "open") return decision;
    const started = performance.now();
    await this.consult();
    const milliseconds = Math.round(performance.now() - started);
    if (this.refusal === undefined)
      logLine("guard", { before: decision.action, milliseconds, ...this.guard.took });
    return this.refusal === undefined ? decision : this.decide();
  }

  private mayArm(): boolean {
    if (boottime() < this.armAgainAt) return false;
    // A lease that nobody has taken by now is waited for no longer.
    const nobodys = this.lease.seen && this.lease.remaining <= 0 && boottime() >= this.openAgainAt;
    return nobodys || boottime() >= this.yieldUntil;
  }

  /** Looks at record and database; while they refuse, nothing is started and nothing goes on. */
  private async consult(): Promise<void> {
    const refusal = await this.guard.refusal();
    this.guardAgainAt = boottime() + (refusal?.heals === true ? unreachableAgainSeconds : guardAgainSeconds);
    const reason = refusal === undefined ? undefined : `${refusal.code}: ${refusal.message}`;
    if (reason !== this.refusal && refusal !== undefined)
      logLine("guard", { code: refusal.code, cause: refusal.message, remedy: refusal.remedy });
    this.refusal = reason;
  }

  private enter(decision: Decision): void {
    if (decision.role !== this.decision.role) {
      this.since = new Date();
      this.roleAt = boottime();
      logLine("role", { role: decision.role, was: this.decision.role, reasons: decision.reasons });
    }
    this.decision = decision;
  }

  private async act(): Promise<void> {
    const { action } = this.decision;
    if (action === "arm") await tried("arm", () => this.arm());
    if (action === "open") await tried("open", () => this.open());
    if (action === "kill") await tried("kill", async () => this.eclairs.open?.kill());
  }

  /** Lets Eclair end cleanly, for another host to take over. */
  private async hand(): Promise<void> {
    this.handing = true;
    try {
      await this.eclairs.open?.stop();
    } catch (error) {
      this.handing = false;
      throw error;
    }
  }

  private async arm(): Promise<void> {
    this.armAgainAt = boottime() + armAgainSeconds;
    await this.eclairs.arm(this.basis());
  }

  private async open(): Promise<void> {
    await this.database.endSuperseded();
    const { armed } = this.eclairs;
    if (armed?.instanceId === undefined) return;
    // Before it can take the lease, so that a supervisor after this one could give it back.
    writeFileSync(places.holder, armed.instanceId, { mode: 0o600 });
    this.mirror.forget();
    this.watchdog.begin(boottime());
    await this.eclairs.letGo(armed);
    logLine("open", { slot: armed.name, eclair: armed.instanceId });
  }

  private basis() {
    return { blocks: this.bitcoind.seen ? this.bitcoind.blocks : 0 };
  }

  /**
   * Arms a fresh one beside an armed one that knows an old chain, and then ends the old one; or ends one that was armed
   * for a lease that was renewed after all, where that is saved.
   */
  private async keepFresh(): Promise<void> {
    await tried("tidy", () => this.eclairs.tidy());
    if (this.decision.role !== "standby") return;
    if (boottime() >= this.guardAgainAt) await this.consult();
    const renewed = this.lease.seen && this.lease.remaining > aheadSeconds;
    if (this.armsLate && renewed) return await tried("disarm", async () => this.eclairs.armed?.kill());
    if (this.refusal !== undefined || this.eclairs.arming !== undefined || boottime() < this.armAgainAt)
      return;
    if (this.eclairs.isStale(this.basis())) await tried("arm", () => this.arm());
  }

  private noteEnd(slot: Slot): void {
    const { process, armed } = slot;
    const holder = slot.end();
    if (holder === undefined) return armed ? logLine("disarmed", { slot: slot.name, process }) : undefined;
    this.watchdog.end();
    this.info = undefined;
    this.left = holder;
    this.yieldUntil = boottime() + yieldSeconds;
    if (this.handing) {
      this.handing = false;
      logLine("eclair-ended", { process, eclair: holder, for: "a switchover" });
      return void this.giveBack(holder);
    }
    const served = this.decision.role === "active" ? boottime() - this.roleAt : 0;
    this.failures = served > steadySeconds ? 1 : this.failures + 1;
    const pause = Math.min(firstBackOffSeconds * 2 ** (this.failures - 1), longestBackOffSeconds);
    this.openAgainAt = boottime() + pause;
    logLine("eclair-ended", { process, eclair: holder, mayTakeLeaseInSeconds: pause });
    void this.giveBack(holder);
  }

  /** The lease of an Eclair that is dead is free at once, and not only when it has run out. */
  private async giveBack(holder: string): Promise<void> {
    try {
      const released = await this.leases.release(holder);
      if (this.left !== holder) return;
      this.left = undefined;
      rmSync(places.holder, { force: true });
      if (released) logLine("released", { eclair: holder });
    } catch (error) {
      logLine("release", { eclair: holder, failed: messageOf(error) });
    }
  }

  private async describe(holder: string): Promise<void> {
    if (this.described === holder) return;
    try {
      await this.database.describeHolder(holder, this.node.identity);
      await this.database.fenceTables();
      this.described = holder;
    } catch (error) {
      logLine("describe", { failed: messageOf(error) });
    }
  }

  private async lookAtUnits(): Promise<void> {
    // Where it fails, what was seen last stands.
    await tried("look", () => this.eclairs.look());
  }

  private async ask(): Promise<void> {
    const { open } = this.eclairs;
    if (this.asking || open === undefined) return;
    this.asking = true;
    const info = await askEclair(this.secrets.apiPassword);
    this.asking = false;
    if (this.eclairs.open !== open) return;
    this.info = info;
    if (info !== undefined && info.nodeId !== this.node.configuration.nodeId) this.wrongNode = info.nodeId;
  }
}

/** Does a thing that is tried again by itself when it fails. */
async function tried(what: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    logLine(what, { failed: messageOf(error) });
  }
}
