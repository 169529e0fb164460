import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ports } from "../contract/ports.ts";
import { boottime } from "../os/clock.ts";
import type { Route } from "./messages.ts";

const everyMilliseconds = 500;
const timeoutMilliseconds = 500;
/** A door that does not admit this host resets the connection at once. */
const admittedAfterMilliseconds = 50;

/** Finds out whether the active Eclair answers through this door. */
export class AnswerProbe {
  private readonly route: () => Route;
  private answeredAt: number | undefined;
  private lastProblem: string | undefined;

  constructor(route: () => Route) {
    this.route = route;
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
    if (route.to === "this-host" && route.answers) this.answeredAt = now;
    if (route.to !== "other-host" || !(await isActive(route.address))) return undefined;
    if (route.hasDoor && !(await isAdmitted(route.address)))
      return `the door of ${route.address} does not accept connections of this host on port ${ports.door}`;
    this.answeredAt = now;
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

/** Whether the door of another host accepts this host's connections. No byte is sent, so Eclair sees no connection. */
async function isAdmitted(address: string): Promise<boolean> {
  const connection = connect({ host: address, port: ports.door });
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
