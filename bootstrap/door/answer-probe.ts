import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ports } from "../contract/ports.ts";
import { boottime } from "../os/clock.ts";
import type { Door } from "./door.ts";
import type { Route } from "./messages.ts";

const everyMilliseconds = 500;
const timeoutMilliseconds = 500;
/** A door that does not admit this host resets the connection at once. */
const admittedAfterMilliseconds = 50;

/** Eclair may be too busy to accept a connection for this time. */
const toleratedMilliseconds = 3_000;

type ProbedDoor = Pick<Door, "listenProblem" | "unreachableMilliseconds" | "noteReachable">;

/** Finds out whether the active Eclair answers through this door. */
export class AnswerProbe {
  private readonly route: () => Route;
  private readonly door: ProbedDoor;
  private readonly lightningPort: number;
  private answeredAt: number | undefined;
  private lastProblem: string | undefined;

  /** @param lightningPort of this host's Eclair; another one in tests */
  constructor(route: () => Route, door: ProbedDoor, lightningPort: number = ports.lightning) {
    this.route = route;
    this.door = door;
    this.lightningPort = lightningPort;
  }

  get answeredSecondsAgo(): number | undefined {
    return this.answeredAt === undefined ? undefined : Math.max(0, boottime() - this.answeredAt);
  }

  /** Why this door does not reach an Eclair that is active. */
  get problem(): string | undefined {
    return this.lastProblem;
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const started = boottime();
      this.lastProblem = await this.check(this.route(), started);
      await sleep(everyMilliseconds, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  private async check(route: Route, now: number): Promise<string | undefined> {
    const isActiveHere = route.to === "this-host" && route.answers;
    const isActiveThere = route.to === "other-host" && (await isActive(route.address));
    if (!isActiveHere && !isActiveThere) return undefined;
    const problem = this.door.listenProblem ?? (await this.reach(route));
    if (problem === undefined) this.answeredAt = now;
    return problem;
  }

  /** Why no connection of a peer would reach the active Eclair. */
  private async reach(route: Exclude<Route, { to: "nobody" }>): Promise<string | undefined> {
    if (route.to === "other-host")
      return !route.hasDoor || (await isAdmitted(route.address, ports.door))
        ? undefined
        : `the door of ${route.address} does not accept connections of this host on port ${ports.door}`;
    // Eclair would log each connection, so only the connections of clients tell whether it accepts any.
    if (this.door.unreachableMilliseconds < toleratedMilliseconds) return undefined;
    if (!(await isAdmitted(route.address, this.lightningPort)))
      return `Eclair does not accept connections on port ${this.lightningPort}`;
    this.door.noteReachable();
    return undefined;
  }
}

async function isActive(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}:${ports.health}/active`, {
      signal: AbortSignal.timeout(timeoutMilliseconds),
    });
    return response.status === 200;
  } catch {
    return false;
  }
}

/** Whether a port accepts this host's connections. No byte is sent, so the Eclair behind another door sees no connection. */
async function isAdmitted(address: string, port: number): Promise<boolean> {
  const connection = connect({ host: address, port });
  const ended = new Promise<false>((resolve) => {
    connection.once("error", () => resolve(false));
    connection.once("close", () => resolve(false));
  });
  const connected = new Promise<true>((resolve) => {
    connection.once("connect", () => setTimeout(() => resolve(true), admittedAfterMilliseconds));
  });
  const late = sleep(timeoutMilliseconds, false as const);
  try {
    return await Promise.race([ended, connected, late]);
  } finally {
    connection.destroy();
  }
}
