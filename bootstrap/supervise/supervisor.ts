import { setTimeout as sleep } from "node:timers/promises";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { messageOf } from "../failure.ts";
import { logLine } from "../log.ts";
import { places } from "../places.ts";
import { version } from "../version.ts";
import { askEclair } from "./api.ts";
import { lookAtBitcoind } from "./bitcoind.ts";
import { boottime } from "./clock.ts";
import { decide, type Decision, type Role } from "./decide.ts";
import { Eclairs } from "./eclairs.ts";
import type { Standing } from "./lifecycle.ts";
import type { Means } from "./means.ts";
import { notify } from "./notify.ts";
import type { Bitcoind, Eclair, Lease } from "./observation.ts";
import { Pauses } from "./pauses.ts";
import { Preread } from "./preread.ts";
import { Renewal } from "./renewal.ts";
import type { Basis, Slot } from "./slot.ts";
import type { InstanceState } from "./state.ts";
import { beginAgain } from "./units.ts";

/** A supervisor that has not followed the lease, or not looked around, for so long hangs. */
const turnsWithinSeconds = 15;
const looksWithinSeconds = 60;
/** While it is one of these, nobody misses this host for the seconds of a boot. */
const passiveRoles: readonly Role[] = ["standby", "waiting"];
/** From Eclair's start to its gate, on a slow day. */
const armsWithinSeconds = 60;
/** Eclair's own clean end takes five seconds, and ten when something hangs. */
const leaveWithinSeconds = 30;
/** From Eclair's start to its first connection, with some to spare, where it is not armed long before. */
const aheadSeconds = 4;

/**
 * Runs Eclair on this host whenever it may run here. Three things go on beside each other: `turn` follows the lease and
 * acts, `look` asks what is slower to ask, and `watch` waits for nothing and ends an Eclair whose lease may run out.
 */
export class Supervisor {
  private readonly renewal = new Renewal();
  private readonly pauses = new Pauses();
  private readonly eclairs: Eclairs;
  private readonly preread = new Preread();
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

  constructor() {
    this.eclairs = new Eclairs(this.means.place, (slot) => this.noteEnd(slot));
  }

  private get means(): Means {
    return this.renewal.means;
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
    await this.renew();
    const askedAt = boottime();
    this.lease = await this.means.leases.lease();
    this.means.watchdog.see(this.lease, askedAt, this.eclairs.open?.instanceId);
    if (this.left !== undefined) await this.giveBack(this.left);
    this.enter(await this.guarded());
    await this.act();
    this.turnedAt = boottime();
    if (this.eclairs.open !== undefined && this.info === undefined) void this.ask();
  }

  /** Asks bitcoind, systemd and Eclair, keeps the armed one fresh, and tells others how this host stands. */
  async look(): Promise<void> {
    this.renewal.putAway();
    await tried("renew", () => this.notice());
    const { rpc, wallet } = this.means;
    const [bitcoind] = await Promise.all([lookAtBitcoind(rpc, wallet), this.lookAtUnits(), this.ask()]);
    this.bitcoind = bitcoind;
    if (bitcoind.seen || bitcoind.warmingUp === true) this.bitcoindAnsweredAt = boottime();
    await this.keepFresh();
    const { open } = this.eclairs;
    if (this.decision.role === "active" && open?.instanceId !== undefined) {
      this.means.mirror.whileActive(open.instanceId);
      await this.describe(open.instanceId);
    }
    const state = this.state();
    this.means.outside.look(state, this.standing(), {
      hand: () => this.hand(),
      standDown: (why) => this.standDown(why),
      isPassive: () => this.isPassive,
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
    if (open === undefined || !open.gate.isOpen || !this.means.watchdog.isOver(boottime())) return;
    logLine("watchdog", { killed: open.process, eclair: open.instanceId });
    void tried("kill", () => open.kill());
  }

  state(): InstanceState {
    const { node, mirror, watchdog } = this.means;
    const { configuration, identity } = node;
    const active = this.decision.role === "active" && watchdog.left(boottime()) > 0;
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
      record: mirror.seen,
      versions: { eclair: node.eclair, bootstrap: version },
      boot: this.renewal.boot,
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
    await this.means.mirror.end();
    await this.means.outside.end(this.state());
    await this.means.close();
  }

  /** Looks whether another boot has rendered anything else. */
  private async notice(): Promise<void> {
    this.renewal.notice();
    const { next } = this.renewal;
    // It makes the wallet ready, which Eclair looks for before it comes to its gate.
    if (next !== undefined) await lookAtBitcoind(next.rpc, next.wallet);
    // Nothing that is armed here is of use there.
    if (this.renewal.isElsewhere && this.leaving === undefined && this.isPassive) await beginAgain();
  }

  /** Between two turns, so that nothing is replaced under one's feet. */
  private async renew(): Promise<void> {
    const { next } = this.renewal;
    if (next === undefined || this.leaving !== undefined) return;
    // What this host knows of a switchover is lost with the means.
    if (this.means.outside.isSwitching && this.eclairs.armed === undefined) return;
    if (!this.renewal.isRipe(this.eclairs, this.decision.role, boottime() - this.roleAt)) return;
    this.renewal.renew(next);
    await tried("renew", () => this.eclairs.endOthers(this.renewal.ids));
  }

  private get isPassive(): boolean {
    const { role } = this.decision;
    if (passiveRoles.includes(role)) return true;
    // One whose Eclair does not come to its gate may need what has changed.
    const { open, armed } = this.eclairs;
    const none = open === undefined && armed === undefined;
    return role === "starting" && none && boottime() - this.roleAt > armsWithinSeconds;
  }

  private decide(): Decision {
    if (this.leaving !== undefined) return { role: "stopping", action: "none", reasons: [this.leaving] };
    const { node, guard, watchdog, mirror, outside } = this.means;
    const { superseded } = mirror;
    const { refused } = guard;
    const { holdBack } = outside;
    return decide(
      { bitcoind: this.bitcoind, lease: this.lease, eclair: this.eclair() },
      {
        chain: node.configuration.chain,
        held: watchdog.held,
        backOff: this.pauses.backOff,
        armAt: this.armsLate ? aheadSeconds : Infinity,
        ...(this.wrongNode !== undefined && { wrongNode: this.wrongNode }),
        ...(superseded !== undefined && { superseded }),
        ...(refused !== undefined && { refusal: refused }),
        ...(holdBack !== undefined && { holdBack }),
      },
    );
  }

  private get armsLate(): boolean {
    return !this.means.node.configuration.failover.armed;
  }

  /** How this instance stands for its Auto Scaling group: a bitcoind elsewhere is not mended by another instance. */
  private standing(): Standing {
    const isLocal = this.means.node.configuration.bitcoind.local !== undefined;
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
    const { guard } = this.means;
    if (guard.refused !== undefined && guard.isDue) await guard.consult();
    const decision = this.decide();
    if (decision.action === "arm" && !this.pauses.mayArm(this.lease)) return { ...decision, action: "none" };
    if (decision.action !== "arm" && decision.action !== "open") return decision;
    const started = performance.now();
    await guard.consult();
    const milliseconds = Math.round(performance.now() - started);
    if (guard.refused !== undefined) return this.decide();
    logLine("guard", { before: decision.action, milliseconds, ...guard.took });
    return decision;
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
    this.pauses.armed();
    await this.eclairs.arm(this.basis());
  }

  private async open(): Promise<void> {
    await this.means.database.endSuperseded();
    const { armed } = this.eclairs;
    // One that was armed this moment, with what a later boot has rendered, goes on once that is in use.
    if (armed?.instanceId === undefined || armed.basis?.rendered !== this.means.id) return;
    // Before it can take the lease, so that a supervisor after this one could give it back.
    writeFileSync(places.holder, armed.instanceId, { mode: 0o600 });
    this.means.mirror.forget();
    this.means.watchdog.begin(boottime());
    await this.eclairs.letGo(armed);
    logLine("open", { slot: armed.name, eclair: armed.instanceId });
  }

  /** What an Eclair that is started now knows. */
  private basis(): Basis {
    return {
      blocks: this.bitcoind.seen ? this.bitcoind.blocks : 0,
      rendered: (this.renewal.next ?? this.means).id,
      record: this.means.guard.record,
    };
  }

  /**
   * Arms a fresh one beside an armed one that knows less, and then ends the old one; or ends one that was armed
   * for a lease that was renewed after all, where that is saved.
   */
  private async keepFresh(): Promise<void> {
    await tried("tidy", () => this.eclairs.endOthers(this.renewal.ids));
    await tried("tidy", () => this.eclairs.tidy());
    if (this.decision.role !== "standby") return;
    void this.preread.look();
    const { guard } = this.means;
    if (guard.isDue) await guard.consult();
    const renewed = this.lease.seen && this.lease.remaining > aheadSeconds;
    if (this.armsLate && renewed) return await tried("disarm", async () => this.eclairs.armed?.kill());
    if (guard.refused !== undefined || this.eclairs.arming !== undefined || !this.pauses.mayArmAgain) return;
    if (this.eclairs.isStale(this.basis())) await tried("arm", () => this.arm());
  }

  private noteEnd(slot: Slot): void {
    const { process, armed } = slot;
    const holder = slot.end();
    if (holder === undefined) return armed ? logLine("disarmed", { slot: slot.name, process }) : undefined;
    this.means.watchdog.end();
    this.info = undefined;
    this.left = holder;
    if (this.handing) {
      this.handing = false;
      this.pauses.handed();
      logLine("eclair-ended", { process, eclair: holder, for: "a switchover" });
      return void this.giveBack(holder);
    }
    const served = this.decision.role === "active" ? boottime() - this.roleAt : 0;
    const pause = this.pauses.ended(served);
    logLine("eclair-ended", { process, eclair: holder, mayTakeLeaseInSeconds: pause });
    void this.giveBack(holder);
  }

  /** The lease of an Eclair that is dead is free at once, and not only when it has run out. */
  private async giveBack(holder: string): Promise<void> {
    try {
      const released = await this.means.leases.release(holder);
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
      const { database, node } = this.means;
      await database.describeHolder(holder, node.identity);
      await database.fenceTables();
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
    const info = await this.askEither();
    this.asking = false;
    if (this.eclairs.open !== open) return;
    this.info = info;
    if (info !== undefined && info.nodeId !== this.means.node.configuration.nodeId)
      this.wrongNode = info.nodeId;
  }

  /** An Eclair that started while a boot rendered may know what that boot has rendered already. */
  private async askEither(): Promise<Eclair["info"]> {
    const { means, next } = this.renewal;
    const info = await askEclair(means.secrets.apiPassword);
    return info ?? (next && (await askEclair(next.secrets.apiPassword)));
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
