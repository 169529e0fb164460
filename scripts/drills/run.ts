import { setTimeout as sleep } from "node:timers/promises";
import type { NodeStatus } from "../cluster/status.ts";
import { isReadyStandby } from "../cluster/takeover.ts";
import type { Pair } from "../lab-cluster/failover.ts";
import { readStatuses, runOnHost, tryOnHost, type DrillEnvironment } from "./environment.ts";
import { addressIn } from "./load/events.ts";
import type { Observers } from "./load/observers.ts";
import type { Peer } from "./load/peer.ts";
import type { BitcoindChange } from "./results.ts";

const reactionTimeoutSeconds = 90;
/** A peer reconnects after a delay that increases with every attempt. */
const paymentTimeoutSeconds = 180;

/** The pair did not react as the drill expects. */
export class DrillFailure extends Error {}

type RunContext = Pick<DrillRun, "environment" | "pair" | "addresses" | "zones" | "observers" | "peer">;

/** One run of a drill: the operations that its steps consist of. */
export class DrillRun {
  readonly environment: DrillEnvironment;
  /** The active instance and the standby at the start of the run. */
  readonly pair: Pair;
  readonly addresses: { readonly active: string; readonly standby: string };
  readonly zones: { readonly active: string; readonly standby: string };
  readonly observers: Observers;
  /** A node with a channel to the drilled node; only with the real Eclair. */
  readonly peer: Peer | undefined;
  /** The time of the fault, in milliseconds since 1970. */
  faultAt: number | undefined;
  /** Eclair's change to another bitcoind; only in drills of remote bitcoinds. */
  change: BitcoindChange | undefined;

  constructor({ environment, pair, addresses, zones, observers, peer }: RunContext) {
    this.environment = environment;
    this.pair = pair;
    this.addresses = addresses;
    this.zones = zones;
    this.observers = observers;
    this.peer = peer;
  }

  /**
   * Injects the fault with a script on one of the hosts.
   * @param options.endsHost the script ends with the host, so its exit status is not known
   * @throws DrillFailure when the script fails
   */
  async injectOnHost(instanceId: string, script: string, { endsHost = false } = {}): Promise<void> {
    const { stdout, stderr, failed } = await tryOnHost(
      this.environment,
      instanceId,
      `date +%s%3N; ${script}`,
    );
    const [timestamp = ""] = stdout.split("\n");
    if (!/^\d+$/.test(timestamp) || (failed && !endsHost))
      throw new DrillFailure(`the fault could not be injected on ${instanceId}: ${stderr || stdout}`);
    this.faultAt = Number(timestamp);
  }

  /** Injects the fault from outside of the hosts. */
  async inject(fault: () => Promise<unknown>): Promise<void> {
    this.faultAt = Date.now();
    await fault();
  }

  /** Runs a script on a host. @returns its output; the exit code is ignored */
  async runOnHost(instanceId: string, script: string): Promise<string> {
    return await runOnHost(this.environment, instanceId, script);
  }

  /** Runs a script on a host. @returns its output. @throws DrillFailure when the script fails */
  async requireOnHost(instanceId: string, script: string): Promise<string> {
    const { stdout, stderr, failed } = await tryOnHost(this.environment, instanceId, script);
    if (failed) throw new DrillFailure(`a script failed on ${instanceId}: ${stderr || stdout}`);
    return stdout;
  }

  /** The peer of a drill that needs one. */
  get requiredPeer(): Peer {
    if (this.peer === undefined) throw new DrillFailure("the drill has no peer");
    return this.peer;
  }

  /** Waits until one of these endpoints completes a handshake that started after a time. */
  async waitUntilServing(
    endpoints: readonly string[],
    after = this.faultAt ?? 0,
    timeoutSeconds = reactionTimeoutSeconds,
  ): Promise<void> {
    const end = performance.now() + timeoutSeconds * 1000;
    while (!this.observers.hasAnswered(endpoints, after)) {
      if (performance.now() > end)
        throw new DrillFailure(`${endpoints.join(" or ")} did not serve within ${timeoutSeconds} s`);
      await sleep(25);
    }
  }

  /** Waits until each address of the load balancer leads to the node. */
  async waitUntilLoadBalancerServes(after: number): Promise<void> {
    for (const zone of Object.values(this.zones)) await this.waitUntilServing([addressIn(zone)], after);
  }

  /** Whether an endpoint has completed a handshake since the fault. */
  hasServed(endpoint: string): boolean {
    return this.observers.hasAnswered([endpoint], this.faultAt ?? 0);
  }

  /** Waits until the peer has paid an invoice that it started to pay after this call. */
  async waitForPayment(): Promise<void> {
    const after = Date.now();
    const end = performance.now() + paymentTimeoutSeconds * 1000;
    while (!this.observers.hasPaid(after)) {
      if (performance.now() > end)
        throw new DrillFailure(
          `no payment succeeded within ${paymentTimeoutSeconds} s: ${this.observers.lastPaymentProblem}`,
        );
      await sleep(100);
    }
  }

  /** The last report of an instance. */
  async reportOf(id: string): Promise<NodeStatus["report"]> {
    return (await readStatuses(this.environment)).find(({ instanceId }) => instanceId === id)?.report;
  }

  /**
   * Waits for a report of an instance.
   * @param after the report is newer than this time
   * @param problemIn undefined when the report is as expected
   */
  async waitForReport(
    id: string,
    after: number,
    problemIn: (report: NonNullable<NodeStatus["report"]>) => string | undefined,
  ): Promise<void> {
    await this.waitForStatuses((statuses) => {
      const { report, reportedAt = "" } = statuses.find(({ instanceId }) => instanceId === id) ?? {};
      if (report === undefined || !(Date.parse(reportedAt) > after)) return `${id} has sent no new report`;
      return problemIn(report);
    });
  }

  async waitUntilReadyStandby(id: string): Promise<void> {
    await this.waitForStatuses((statuses) => {
      const status = statuses.find(({ instanceId }) => instanceId === id);
      if (status !== undefined && isReadyStandby(status)) return undefined;
      return `${id} is not a ready standby: its role is ${status?.report?.role ?? "unknown"}`;
    });
  }

  /** Waits until an instance reports that its bitcoind answers, in a report that is newer than this call. */
  async waitUntilBitcoindAnswers(id: string): Promise<void> {
    await this.waitForReport(id, Date.now(), ({ bitcoind }) =>
      bitcoind.known ? undefined : `bitcoind on ${id} does not answer: ${bitcoind.reason}`,
    );
  }

  /**
   * Waits until both instances can use each of their bitcoinds.
   * @param after the reports are newer than this time
   */
  async waitUntilBitcoindsWork(after: number): Promise<void> {
    for (const id of Object.values(this.pair))
      await this.waitForReport(id, after, ({ bitcoinds = [] }) => {
        if (bitcoinds.length === 0) return `${id} has not reported its bitcoinds`;
        const broken = bitcoinds.find(({ problem }) => problem !== undefined);
        return broken && `${id} cannot use bitcoind ${broken.name}: ${broken.problem}`;
      });
  }

  /** @param problemIn undefined when the statuses are as expected */
  private async waitForStatuses(
    problemIn: (statuses: readonly NodeStatus[]) => string | undefined,
  ): Promise<void> {
    const end = performance.now() + reactionTimeoutSeconds * 1000;
    for (;;) {
      const problem = problemIn(await readStatuses(this.environment));
      if (problem === undefined) return;
      if (performance.now() > end) throw new DrillFailure(problem);
      await sleep(250);
    }
  }

  async wait(seconds: number): Promise<void> {
    await sleep(seconds * 1000);
  }
}
