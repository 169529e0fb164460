import { setTimeout as sleep } from "node:timers/promises";
import { logLine } from "../log.ts";
import { version } from "../version.ts";
import { Answers } from "./answers.ts";
import { lookAtBitcoind } from "./bitcoind.ts";
import { boottime } from "./clock.ts";
import { decide, type Decision, type Role } from "./decide.ts";
import { Eclairs } from "./eclairs.ts";
import { LeftLease } from "./left-lease.ts";
import type { Standing } from "./lifecycle.ts";
import type { Means } from "./means.ts";
import { notify } from "./notify.ts";
import type { Bitcoind, Eclair, Lease } from "./observation.ts";
import { Pauses } from "./pauses.ts";
import { Renewal } from "./renewal.ts";
import type { Slot } from "./slot.ts";
import { Standby } from "./standby.ts";
import type { InstanceState } from "./state.ts";
import { tried } from "./tried.ts";

/** A supervisor that has not followed the lease, or not looked around, for so long hangs. */
const turnsWithinSeconds = 15;
const looksWithinSeconds = 60;
/** While it is one of these, nobody misses this host for the seconds of a boot. */
const passiveRoles: readonly Role[] = ["standby", "waiting"];
/** From Eclair's start to its gate, on a slow day. */
const armsWithinSeconds = 60;
/** Eclair's own clean end takes five seconds, and ten when something hangs. */
const leaveWithinSeconds = 30;

/**
 * Runs Eclair on this host whenever it may run here. Three things go on beside each other: `turn` follows the lease and
 * acts, `look` asks what is slower to ask, and `watch` waits for nothing and ends an Eclair whose lease may run out.
 */
export class Supervisor {
  private readonly renewal = new Renewal();
  private readonly pauses = new Pauses();
  private readonly eclairs: Eclairs;
  private readonly answers: Answers;
  private readonly standby: Standby;
  private readonly leftLease = new LeftLease(() => this.means.leases);
  private bitcoind: Bitcoind = { seen: false, why: "not looked at yet" };
  private lease: Lease = { seen: false, why: "not looked at yet" };
  private decision: Decision = { role: "waiting", action: "none", reasons: ["the supervisor is starting"] };
  private since = new Date();
  private roleAt = boottime();
  private turnedAt = boottime();
  private lookedAt = boottime();
  private described: string | undefined;
  /** Why this host starts nothing any more. */
  private leaving: string | undefined;
  private bitcoindAnsweredAt = boottime();
  private handing = false;

  constructor() {
    this.eclairs = new Eclairs(this.means.place, (slot) => this.noteEnd(slot));
    this.answers = new Answers(this.renewal, this.eclairs);
    this.standby = new Standby(this.renewal, this.eclairs, this.pauses);
  }

  private get means(): Means {
    return this.renewal.means;
  }

  /** Takes up where a supervisor before it, if there was one, has ended. */
  async begin(): Promise<void> {
    await this.eclairs.clear();
    await this.eclairs.listen();
    this.leftLease.begin();
  }

  /** Follows the lease, and does what follows from it. */
  async turn(): Promise<void> {
    this.eclairs.notice();
    if (this.leaving === undefined) await this.standby.renew(this.decision.role, boottime() - this.roleAt);
    const askedAt = boottime();
    this.lease = await this.means.leases.lease();
    this.means.watchdog.see(this.lease, askedAt, this.eclairs.open?.instanceId);
    await this.leftLease.giveBack();
    this.enter(await this.guarded());
    await this.act();
    this.turnedAt = boottime();
    if (this.answers.info === undefined) void this.answers.ask();
  }

  /** Asks bitcoind, systemd and Eclair, keeps the armed one fresh, and tells others how this host stands. */
  async look(): Promise<void> {
    this.renewal.putAway();
    await tried("renew", () => this.standby.notice(() => this.isPassive));
    const { rpc, wallet } = this.means;
    const [bitcoind] = await Promise.all([
      lookAtBitcoind(rpc, wallet),
      this.lookAtUnits(),
      this.answers.ask(),
    ]);
    this.bitcoind = bitcoind;
    if (bitcoind.seen || bitcoind.warmingUp === true) this.bitcoindAnsweredAt = boottime();
    await this.standby.tidy();
    if (this.decision.role === "standby") {
      const { guard } = this.means;
      if (guard.isDue) await guard.consult();
      await this.standby.keepFresh({ lease: this.lease, bitcoind: this.bitcoind });
    }
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
      eclair: { ...this.eclair(), armsLate: this.standby.armsLate },
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

  private get isPassive(): boolean {
    const { role } = this.decision;
    if (this.leaving !== undefined) return false;
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
    const { wrongNode } = this.answers;
    return decide(
      { bitcoind: this.bitcoind, lease: this.lease, eclair: this.eclair() },
      {
        chain: node.configuration.chain,
        held: watchdog.held,
        backOff: this.pauses.backOff,
        armAt: this.standby.armAt,
        ...(wrongNode !== undefined && { wrongNode }),
        ...(superseded !== undefined && { superseded }),
        ...(refused !== undefined && { refusal: refused }),
        ...(holdBack !== undefined && { holdBack }),
      },
    );
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
    const { info } = this.answers;
    const waiting = arming === undefined ? "no" : "starting";
    return {
      unit: open?.unit ?? "stopped",
      process: open?.process ?? 0,
      ...(open?.instanceId !== undefined && { instanceId: open.instanceId }),
      ...(open !== undefined && info !== undefined && { info }),
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
    if (action === "arm") await tried("arm", () => this.standby.arm(this.bitcoind));
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

  private async open(): Promise<void> {
    await this.means.database.endSuperseded();
    const { armed } = this.eclairs;
    // One that was armed this moment, with what a later boot has rendered, goes on once that is in use.
    if (armed?.instanceId === undefined || armed.basis?.rendered !== this.means.id) return;
    this.leftLease.remember(armed.instanceId);
    this.means.mirror.forget();
    this.means.watchdog.begin(boottime());
    await this.eclairs.letGo(armed);
    logLine("open", { slot: armed.name, eclair: armed.instanceId });
  }

  private noteEnd(slot: Slot): void {
    const { process, armed } = slot;
    const holder = slot.end();
    if (holder === undefined) return armed ? logLine("disarmed", { slot: slot.name, process }) : undefined;
    this.means.watchdog.end();
    this.answers.forget();
    if (this.handing) {
      this.handing = false;
      this.pauses.handed();
      logLine("eclair-ended", { process, eclair: holder, for: "a switchover" });
      return this.leftLease.leave(holder);
    }
    const served = this.decision.role === "active" ? boottime() - this.roleAt : 0;
    const pause = this.pauses.ended(served);
    logLine("eclair-ended", { process, eclair: holder, mayTakeLeaseInSeconds: pause });
    this.leftLease.leave(holder);
  }

  private async describe(holder: string): Promise<void> {
    if (this.described === holder) return;
    await tried("describe", async () => {
      const { database, node } = this.means;
      await database.describeHolder(holder, node.identity);
      await database.fenceTables();
      this.described = holder;
    });
  }

  private async lookAtUnits(): Promise<void> {
    // Where it fails, what was seen last stands.
    await tried("look", () => this.eclairs.look());
  }
}
