import { connect, type Socket } from "node:net";
import type { DoorLimits } from "./limits.ts";

/** An Eclair that a connection can be passed to. */
export type Destination = {
  readonly eclairInstanceId: string;
  readonly address: string;
  readonly port: number;
  /** Whether it runs on this host. */
  readonly isOwn: boolean;
  /** Whether address and port are those of the other host's door. */
  readonly isDoor: boolean;
};

/**
 * - `silent`: the client has not sent a whole first act yet
 * - `waiting`: the client waits for an Eclair
 * - `connecting`: the door connects to Eclair
 * - `asked`: Eclair has received what the client sent, and has not answered
 * - `passing`: Eclair has answered
 */
export type PassageState = "silent" | "waiting" | "connecting" | "asked" | "passing" | "ended";

/** What the door learns about a passage. */
export type PassageEvents = {
  /** The client sent its first act, or lost its Eclair before the first answer. */
  readonly onWaiting: (passage: Passage) => void;
  /** Eclair refused the connection, or could not be reached in time. */
  readonly onUnreachable: (passage: Passage) => void;
  readonly onConnected: (passage: Passage) => void;
  readonly onAnswer: (passage: Passage) => void;
  readonly onEnded: (passage: Passage) => void;
  /** Whether the bytes of the passage's Eclair may still be passed. */
  readonly mayAnswer: (passage: Passage) => boolean;
};

/** A client that sends more before Eclair's first answer is disconnected. By BOLT 8, a client sends 50 bytes before it. */
const keptBytes = 4096;
const connectMilliseconds = 1_000;
const keepAliveMilliseconds = 30_000;

/** `halfClosedMilliseconds`: for how long the client may keep a connection that Eclair has ended. */
type PassageLimits = Pick<DoorLimits, "firstActBytes" | "halfClosedMilliseconds">;

/**
 * The connection of one client. Until Eclair's first answer, the passage keeps what the client has sent, so that it can
 * send these bytes to the next holder of the lease.
 */
export class Passage {
  readonly source: string;
  /** In milliseconds, by the clock of `performance.now()`. */
  readonly acceptedAt: number;
  /** The Eclair that this passage was connected to last. */
  eclairInstanceId: string | undefined;
  /** Whether that Eclair runs on this host. */
  isToOwn = false;
  /** Whether this passage was connected to the door of that Eclair's host. */
  isToDoor = false;
  /** When that Eclair, or the door in front of it, ended the connection before an answer; by the clock of `performance.now()`. */
  closedAt: number | undefined;
  /** Whether the door has closed this connection. */
  isFinished = false;
  private current: PassageState = "silent";
  private readonly client: Socket;
  private readonly events: PassageEvents;
  private eclair: Socket | undefined;
  private kept: Buffer[] = [];
  private keptLength = 0;
  private clientEnded = false;
  private readonly limits: PassageLimits;

  constructor(client: Socket, events: PassageEvents, limits: PassageLimits) {
    this.client = client;
    this.limits = limits;
    this.events = events;
    this.source = client.remoteAddress ?? "";
    this.acceptedAt = performance.now();
    client.setNoDelay(true);
    client.setKeepAlive(true, keepAliveMilliseconds);
    client.on("data", (chunk: Buffer) => this.onClientData(chunk));
    client.on("drain", () => this.eclair?.resume());
    client.on("end", () => this.onClientEnd());
    client.on("error", () => this.reset());
    client.on("close", () => this.end());
  }

  get state(): PassageState {
    return this.current;
  }

  /** Connects a waiting client to an Eclair. */
  connect({ eclairInstanceId, address, port, isOwn, isDoor }: Destination): void {
    this.current = "connecting";
    this.isToOwn = isOwn;
    this.isToDoor = isDoor;
    this.eclairInstanceId = eclairInstanceId;
    this.closedAt = undefined;
    const eclair = connect({ host: address, port, noDelay: true, keepAlive: true, allowHalfOpen: true });
    this.eclair = eclair;
    const timer = setTimeout(() => eclair.destroy(), connectMilliseconds);
    eclair.once("connect", () => {
      clearTimeout(timer);
      if (this.eclair === eclair) this.onConnected(eclair);
    });
    eclair.on("data", (chunk: Buffer) => {
      if (this.eclair === eclair) this.onEclairData(chunk);
    });
    eclair.on("drain", () => {
      if (this.eclair === eclair) this.client.resume();
    });
    eclair.on("end", () => {
      if (this.eclair === eclair && this.current === "passing") this.onEclairEnd();
      else eclair.destroy();
    });
    let failed = false;
    eclair.on("error", () => {
      failed = true;
    });
    eclair.on("close", () => {
      clearTimeout(timer);
      if (this.eclair === eclair) this.onEclairClosed(failed);
    });
  }

  /** Takes the client from an Eclair that lost the lease. A client that has an answer of that Eclair is disconnected. */
  leave(): void {
    if (this.current === "passing") return this.reset();
    if (this.current !== "connecting" && this.current !== "asked") return;
    this.dropEclair();
    this.wait();
  }

  /** Closes both connections after the bytes that were received. */
  finish(): void {
    this.isFinished = true;
    this.client.end();
    this.eclair?.end();
  }

  /** Resets both connections: no further byte leaves this host. */
  reset(): void {
    if (this.current === "ended") return;
    this.client.resetAndDestroy();
    this.end();
  }

  private onClientData(chunk: Buffer): void {
    if (this.current === "passing") {
      if (this.eclair?.write(chunk) === false) this.client.pause();
      return;
    }
    this.keptLength += chunk.length;
    if (this.keptLength > keptBytes) return this.reset();
    this.kept.push(chunk);
    if (this.current === "asked") this.eclair?.write(chunk);
    if (this.current === "silent" && this.keptLength >= this.limits.firstActBytes) this.wait();
  }

  private onClientEnd(): void {
    this.clientEnded = true;
    if (this.current === "passing" || this.current === "asked") this.eclair?.end();
    else this.client.destroy();
  }

  private onConnected(eclair: Socket): void {
    this.current = "asked";
    for (const chunk of this.kept) eclair.write(chunk);
    this.events.onConnected(this);
  }

  private onEclairData(chunk: Buffer): void {
    if (!this.events.mayAnswer(this)) return this.leave();
    if (this.current === "asked") {
      this.current = "passing";
      this.kept = [];
      this.events.onAnswer(this);
    }
    if (!this.client.write(chunk)) this.eclair?.pause();
  }

  /** Eclair has closed the connection: a client that does not close its side would keep it for ever. */
  private onEclairEnd(): void {
    this.client.end();
    setTimeout(() => this.reset(), this.limits.halfClosedMilliseconds).unref();
  }

  private onEclairClosed(failed: boolean): void {
    const { current } = this;
    this.eclair = undefined;
    if (current === "passing") {
      if (failed) this.reset();
      else this.client.destroySoon();
      return;
    }
    if (current !== "connecting" && current !== "asked") return;
    if (current === "asked") this.closedAt = performance.now();
    if (current === "connecting") this.events.onUnreachable(this);
    this.wait();
  }

  private wait(): void {
    if (this.clientEnded) return this.reset();
    this.current = "waiting";
    this.events.onWaiting(this);
  }

  private dropEclair(): void {
    const { eclair } = this;
    this.eclair = undefined;
    eclair?.resetAndDestroy();
  }

  private end(): void {
    if (this.current === "ended") return;
    this.current = "ended";
    this.kept = [];
    this.dropEclair();
    this.events.onEnded(this);
  }
}
