import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { DoorReport } from "../../contract/reports/door.ts";
import type { LeaseReport } from "../../contract/reports/instance.ts";
import { DoorStatus, type DoorMessage, type Route } from "../../door/messages.ts";
import type { Slot } from "../../eclair/slot.ts";
import { boottime } from "../../os/clock.ts";
import { HelperProcess } from "../../os/helper-process.ts";
import { routeOf, type OwnEclair } from "./route.ts";

/** A deadline that moves by less than this is not sent: the watchdog reads the lease twenty times a second. */
const untilStepSeconds = 0.25;
/** Each later deadline is sent when the door would be mute so soon. */
const urgentSeconds = 1;
/** A door that reports nothing for this time hangs. */
const staleSeconds = 1;
const startsWithinSeconds = 3;
/** The active Eclair answered through the door within this time. */
const answeredWithinSeconds = 1;
const closeWithinSeconds = 30;
const pollMilliseconds = 250;
/** After this time without an answer of Eclair, a load balancer may send its connections elsewhere. */
const servingSeconds = 10;

/** The other hosts of the cluster. */
type ClusterHosts = {
  readonly otherAddresses: readonly string[];
  readonly hasDoor: (address: string) => boolean;
};

/** Sends the location of the active Eclair to the door of this host, and returns the status of the door. */
export class DoorControl {
  private readonly address: string;
  private readonly process: HelperProcess;
  private isLeaving = false;
  private startedAt = Infinity;
  private sent: DoorMessage | undefined;
  private status: { readonly at: number; readonly value: DoorStatus } | undefined;

  /** @param address the host's own address */
  constructor(address: string) {
    this.address = address;
    this.process = new HelperProcess("door", "door.ended", (line) => {
      this.status = { at: boottime(), value: DoorStatus.parse(JSON.parse(line)) };
    });
  }

  start(): void {
    this.startedAt = boottime();
    this.process.start();
  }

  stop(): void {
    this.process.stop();
  }

  private get route(): Route {
    return this.sent?.route ?? { to: "nobody" };
  }

  /**
   * Follows the active Eclair.
   * @param open the Eclair of this host whose gate is open, or is about to open
   * @param own what the supervisor knows about that Eclair; `until`: when it must be mute, in seconds on CLOCK_BOOTTIME
   */
  follow(
    lease: LeaseReport,
    { otherAddresses, hasDoor }: ClusterHosts,
    open: Pick<Slot, "eclairInstanceId" | "address" | "unit"> | undefined,
    { isStopping, answers, until }: Pick<OwnEclair, "isStopping" | "answers"> & { readonly until: number },
  ): void {
    const { address: ownAddress, route: previous } = this;
    const eclairInstanceId = open?.eclairInstanceId;
    const own =
      open === undefined || eclairInstanceId === undefined
        ? undefined
        : {
            eclairInstanceId,
            address: open.address,
            isStopping: isStopping || open.unit === "stopping",
            answers,
          };
    this.publish({
      address: ownAddress,
      route: routeOf({ ownAddress, lease, open: own, hasDoor, previous }),
      ...(own !== undefined && { own: { eclairInstanceId: own.eclairInstanceId, until } }),
      hosts: [...otherAddresses],
      isLeaving: this.isLeaving,
    });
  }

  /** Sends a message when something has changed. */
  private publish(message: DoorMessage): void {
    if (this.sent !== undefined && isSame(message, this.sent)) return;
    this.sent = message;
    this.process.publish(message);
  }

  /**
   * Leads peers to the active Eclair for some time, and then closes their connections. A connection that begins in the meantime
   * is closed after its handshake. The time ends early when the lease is known to be free, and Eclair has not answered for ten
   * seconds.
   * @param seconds for how long a load balancer sends new connections here
   */
  async drain(seconds: number): Promise<void> {
    const closesAt = boottime() + seconds;
    // The next Eclair takes longer to start on a large node, and a door that starts again reports nothing for a moment.
    const isNeeded = () => this.serving || this.route.to === "other-host";
    while (boottime() < closesAt && isNeeded()) await sleep(pollMilliseconds);
    this.isLeaving = true;
    const end = boottime() + closeWithinSeconds;
    const connections = () => (this.report === undefined ? 0 : this.report.passing + this.report.held);
    while (boottime() < end && connections() > 0) await sleep(pollMilliseconds);
  }

  get report(): DoorReport | undefined {
    return this.status?.value.report;
  }

  /** Why the door does not lead to the active Eclair; empty when it does, or when no Eclair is active. */
  get problems(): string[] {
    if (this.current === undefined)
      return boottime() - this.startedAt > startsWithinSeconds ? ["the door does not report"] : [];
    return this.current.problem === undefined ? [] : [this.current.problem];
  }

  /** Whether a load balancer should send connections to this host: the active Eclair answers, or a takeover is in progress. */
  get serving(): boolean {
    const { current } = this;
    if (current?.answeredSecondsAgo === undefined) return false;
    const limit = current.problem === undefined ? servingSeconds : answeredWithinSeconds;
    return current.answeredSecondsAgo < limit;
  }

  private get current(): DoorStatus | undefined {
    return this.status !== undefined && boottime() - this.status.at < staleSeconds
      ? this.status.value
      : undefined;
  }
}

function isSame(message: DoorMessage, sent: DoorMessage): boolean {
  const step = (message.own?.until ?? 0) - (sent.own?.until ?? 0);
  const withoutTime = ({ own, ...rest }: DoorMessage) => ({ ...rest, own: own?.eclairInstanceId });
  const isUrgent = step > 0 && (sent.own?.until ?? 0) - boottime() < urgentSeconds;
  const isNear = step >= 0 && step < untilStepSeconds && !isUrgent;
  return isNear && isDeepStrictEqual(withoutTime(message), withoutTime(sent));
}
