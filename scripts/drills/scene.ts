import { setTimeout as sleep } from "node:timers/promises";
import type { Pair } from "../lab/cluster/failover.ts";
import type { Peer } from "./peer.ts";
import { isReadyStandby, type NodeStatus } from "../nodes/status.ts";
import { inGuest, statuses, type Stage } from "./stage.ts";
import type { Watch } from "./watch.ts";

const servesWithinSeconds = 90;
/** A peer tries to connect again after a pause that grows. */
const paysWithinSeconds = 180;

/** Why a drill did not go as it should. */
export class Astray extends Error {}

/** One run of a drill, while it plays. */
export class Scene {
  readonly stage: Stage;
  /** Who was active, and who was its standby, when the drill began. */
  readonly pair: Pair;
  readonly addresses: { readonly active: string; readonly standby: string };
  private readonly watch: Watch;
  /** A node with a channel to the drilled one, where both are real Eclairs. */
  readonly peer: Peer | undefined;
  /** When the fault came, in milliseconds since 1970. */
  struckAt: number | undefined;

  constructor(
    stage: Stage,
    pair: Pair,
    addresses: { readonly active: string; readonly standby: string },
    watch: Watch,
    peer: Peer | undefined,
  ) {
    this.stage = stage;
    this.pair = pair;
    this.addresses = addresses;
    this.watch = watch;
    this.peer = peer;
  }

  /** The fault itself, where it is a script on one of the hosts. */
  async strike(instanceId: string, script: string): Promise<void> {
    const said = await inGuest(this.stage, instanceId, `date +%s%3N; ${script}`);
    const [at = ""] = said.split("\n");
    if (!/^\d+$/.test(at)) throw new Astray(`${instanceId} did not take the fault: ${said}`);
    this.struckAt = Number(at);
  }

  /** The fault itself, where it comes from outside of the hosts. */
  async strikeBy(task: () => Promise<unknown>): Promise<void> {
    this.struckAt = Date.now();
    await task();
  }

  /** Waits until a node answers on one of these hosts, after a moment. */
  async serves(
    hosts: readonly string[],
    after = this.struckAt ?? 0,
    seconds = servesWithinSeconds,
  ): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (!this.watch.answered(hosts, after)) {
      if (performance.now() > end) throw new Astray(`none of ${hosts.join(", ")} served within ${seconds} s`);
      await sleep(25);
    }
  }

  /** Whether a host has served at any time since the fault. */
  served(host: string): boolean {
    return this.watch.answered([host], this.struckAt ?? 0);
  }

  /** Waits until the peer has paid an invoice that it began to pay from now on. */
  async paysAgain(): Promise<void> {
    const after = Date.now();
    const end = performance.now() + paysWithinSeconds * 1000;
    while (!this.watch.paid(after)) {
      if (performance.now() > end)
        throw new Astray(`no payment came through within ${paysWithinSeconds} s: ${this.watch.unpaid}`);
      await sleep(100);
    }
  }

  /** Makes no more invoices on a host, until it is loaded again. */
  async rest(instanceId: string): Promise<void> {
    await this.watch.rest(instanceId);
  }

  async load(instanceId: string): Promise<void> {
    await this.watch.load(this.stage, instanceId);
  }

  async inGuest(instanceId: string, script: string): Promise<string> {
    return await inGuest(this.stage, instanceId, script);
  }

  /** Waits until a host is a ready standby. */
  async standsBy(id: string): Promise<void> {
    await this.until((found) => {
      const status = found.find(({ instanceId }) => instanceId === id);
      if (status !== undefined && isReadyStandby(status)) return undefined;
      return `${id} is no ready standby: ${status?.state?.role}`;
    });
  }

  /** Waits until the bitcoind of a host knows fewer blocks than that of another. */
  async fallsBehind(id: string, other: string): Promise<void> {
    await this.until((found) => {
      const [here, there] = [id, other].map((one) => {
        const bitcoind = found.find(({ instanceId }) => instanceId === one)?.state?.bitcoind;
        return bitcoind?.seen === true ? bitcoind.blocks : undefined;
      });
      if (here !== undefined && there !== undefined && here < there) return undefined;
      return `the bitcoind of ${id} is not behind: block ${here}, the other one's ${there}`;
    });
  }

  /** Waits until there is nothing left to complain of in how the instances stand. */
  private async until(complaint: (found: readonly NodeStatus[]) => string | undefined): Promise<void> {
    const end = performance.now() + servesWithinSeconds * 1000;
    for (;;) {
      const why = complaint(await statuses(this.stage));
      if (why === undefined) return;
      if (performance.now() > end) throw new Astray(why);
      await sleep(250);
    }
  }

  /** A drill that would only wait lets time pass. */
  async pass(seconds: number): Promise<void> {
    await sleep(seconds * 1000);
  }
}
