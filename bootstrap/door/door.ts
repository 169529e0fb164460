import { createServer, type Server, type Socket } from "node:net";
import type { DoorReport } from "../contract/reports/door.ts";
import { ports } from "../contract/ports.ts";
import { boottime } from "../os/clock.ts";
import { Backlog } from "./backlog.ts";
import { doorLimits, type DoorLimits } from "./limits.ts";
import type { DoorMessage, Route } from "./messages.ts";
import { Passage, type Destination, type PassageEvents } from "./passage.ts";
import { PendingLimits } from "./pending.ts";

/** How often held connections are tried again, and deadlines are checked. */
const tickMilliseconds = 25;
const listenAgainMilliseconds = 100;
/** A door that ended listens again after less than this time. */
const otherDoorMilliseconds = 1_000;

/** The outer port accepts peers; the inner port accepts the doors of other hosts, and leads to this host's Eclair only. */
type Side = "outer" | "inner";

/**
 * Passes the connections of peers to the active Eclair, on this host or through the door of another host. While no Eclair
 * serves, new connections are held. The door forwards bytes and does not read them.
 */
export class Door {
  private readonly servers: Readonly<Record<Side, Server>>;
  private readonly ports: Readonly<Record<Side, number>>;
  private readonly passages = new Map<Passage, Side>();
  /** The connections without an answer of Eclair, oldest first. */
  private readonly pending = new Set<Passage>();
  /** Each side has its own limits, so that the clients of this host do not keep out those of another host. */
  private readonly pendingLimits: Readonly<Record<Side, PendingLimits>>;
  private readonly limits: DoorLimits;
  private readonly backlog: Backlog;
  /** The passage that was connected to an Eclair last. */
  private lastConnected: Passage | undefined;
  private route: Route = { to: "nobody" };
  private own: DoorMessage["own"];
  private hosts: ReadonlySet<string> = new Set();
  private isLeaving = false;
  /** Set while the destination cannot be reached: one connection at a time tries, from this time on. */
  private retryAt: number | undefined;
  /** Since when connections to this host's Eclair have failed, by the clock of `performance.now()`. */
  private unreachableSince: number | undefined;
  /** Why a port cannot be bound. */
  private readonly listenErrors = new Map<Side, string>();
  private timer: NodeJS.Timeout | undefined;
  private readonly totals = { accepted: 0, held: 0, moved: 0, expired: 0, refused: 0, cut: 0 };
  /** The passages that waited because no Eclair could be reached. */
  private readonly delayed = new WeakSet<Passage>();

  /** The parameters differ in tests. */
  constructor(
    doorPorts: Readonly<Record<Side, number>> = { outer: ports.lightning, inner: ports.door },
    limits: DoorLimits = doorLimits,
  ) {
    this.ports = doorPorts;
    this.limits = limits;
    this.backlog = new Backlog(limits.unaccepted);
    const isReplaceable = (passage: Passage) => passage.state === "silent" || this.hasRefused(passage);
    this.pendingLimits = {
      outer: new PendingLimits(limits, isReplaceable),
      inner: new PendingLimits({ ...limits, pendingPerSource: limits.pending }, isReplaceable),
    };
    const serverOf = (side: Side) =>
      createServer({ allowHalfOpen: true }, (client) => this.accept(client, side));
    this.servers = { outer: serverOf("outer"), inner: serverOf("inner") };
  }

  /** Binds both ports on the host's own address. A wildcard would keep Eclair from its loopback address. */
  listen(address: string): void {
    for (const side of ["outer", "inner"] as const) {
      const server = this.servers[side];
      const listen = () => server.listen(this.ports[side], address, 4096);
      server.on("listening", () => this.listenErrors.delete(side));
      server.on("error", (error: NodeJS.ErrnoException) => {
        this.listenErrors.set(side, error.message);
        // The door of the previous supervisor is ending, or the address is not configured yet.
        if (error.code !== "EADDRINUSE" && error.code !== "EADDRNOTAVAIL") throw error;
        setTimeout(listen, listenAgainMilliseconds);
      });
      listen();
    }
    this.timer = setInterval(() => this.tick(), tickMilliseconds);
  }

  update({ route, own, hosts, isLeaving }: Omit<DoorMessage, "address">): void {
    const previous = this.route;
    this.route = route;
    this.own = own;
    this.hosts = new Set(hosts);
    this.isLeaving = isLeaving;
    const holder = holderOf(route);
    if (holder !== holderOf(previous)) {
      this.retryAt = undefined;
      this.noteReachable();
    }
    // Without a new holder, the connections of an Eclair that is stopping remain.
    if (holder !== undefined && holder !== holderOf(previous))
      this.removeWhere(({ eclairInstanceId }) => eclairInstanceId !== holder);
    this.tick();
  }

  report(): DoorReport {
    const { accepted, held, moved, expired, refused, cut } = this.totals;
    let passing = 0;
    for (const { state } of this.passages.keys()) if (state === "passing") passing += 1;
    return {
      passing,
      held: this.passages.size - passing,
      acceptedTotal: accepted,
      heldTotal: held,
      movedTotal: moved,
      expiredTotal: expired,
      refusedTotal: refused,
      cutTotal: cut,
    };
  }

  /** Why peers, or the doors of other hosts, cannot connect to this door. */
  get listenProblem(): string | undefined {
    const [error] = this.listenErrors.values();
    return error === undefined ? undefined : `the door cannot accept connections: ${error}`;
  }

  /** For how long connections to this host's Eclair have failed; zero while Eclair accepts connections. */
  get unreachableMilliseconds(): number {
    const { unreachableSince } = this;
    return unreachableSince === undefined ? 0 : performance.now() - unreachableSince;
  }

  noteReachable(): void {
    this.unreachableSince = undefined;
  }

  close(): void {
    clearInterval(this.timer);
    for (const side of ["outer", "inner"] as const) this.servers[side].close();
    for (const passage of this.passages.keys()) passage.reset();
  }

  private accept(client: Socket, side: Side): void {
    if (side === "inner" && !this.hosts.has(client.remoteAddress ?? "")) {
      this.totals.refused += 1;
      client.on("error", () => undefined);
      return void client.resetAndDestroy();
    }
    const passage = new Passage(client, this.events, this.limits);
    if (side === "outer") this.totals.accepted += 1;
    this.passages.set(passage, side);
    this.pending.add(passage);
    this.pendingLimits[side].add(passage);
    const surplus =
      this.passages.size > this.limits.connections ? passage : this.pendingLimits[side].surplus(passage);
    if (surplus === undefined) return;
    this.totals.refused += 1;
    surplus.reset();
  }

  private readonly events: PassageEvents = {
    onWaiting: (passage) => this.tryNow(passage, this.destination),
    onUnreachable: (passage) => {
      if (passage.eclairInstanceId !== holderOf(this.route)) return;
      this.retryAt = performance.now() + tickMilliseconds;
      if (passage.isToOwn) this.unreachableSince ??= performance.now();
    },
    onConnected: () => {
      this.retryAt = undefined;
      this.noteReachable();
    },
    onAnswer: (passage) => this.endPending(passage),
    onEnded: (passage) => {
      this.endPending(passage);
      this.passages.delete(passage);
    },
    mayAnswer: ({ isToOwn, eclairInstanceId }) => !isToOwn || this.isValid(eclairInstanceId),
  };

  private endPending(passage: Passage): void {
    const side = this.passages.get(passage);
    if (side !== undefined) this.pendingLimits[side].delete(passage);
    this.pending.delete(passage);
  }

  /** Whether the lease of an Eclair of this host is known to be valid. The deadline can have passed in a pause of this process. */
  private isValid(eclairInstanceId: string | undefined): boolean {
    const { own } = this;
    return own !== undefined && own.eclairInstanceId === eclairInstanceId && boottime() < own.until;
  }

  private tick(): void {
    const { own } = this;
    if (own !== undefined && boottime() >= own.until)
      this.removeWhere(({ eclairInstanceId }) => eclairInstanceId === own.eclairInstanceId);
    if (this.isLeaving) this.closeSome((this.limits.closedPerSecond * tickMilliseconds) / 1000);
    const now = performance.now();
    // Thousands of connections can wait: what all of them need is computed once.
    const { destination } = this;
    if (destination?.isOwn) this.backlog.measure(destination.address, destination.port);
    const isReachable = destination !== undefined && this.retryAt === undefined;
    const { queuedMilliseconds, heldMilliseconds } = this.limits;
    for (const passage of this.pending) {
      this.tryNow(passage, destination);
      const age = now - passage.acceptedAt;
      const limit = isReachable && !this.hasRefused(passage) ? queuedMilliseconds : heldMilliseconds;
      if (passage.state === "waiting" && age > limit) {
        if (passage.closedAt === undefined) this.totals.expired += 1;
        passage.reset();
      }
      if (passage.state === "silent" && age > this.limits.silentMilliseconds) passage.reset();
    }
  }

  private closeSome(count: number): void {
    let left = count;
    for (const passage of this.passages.keys()) {
      if (passage.state !== "passing" || passage.isFinished) continue;
      if (left <= 0) return;
      passage.finish();
      left -= 1;
    }
  }

  /** Connects a waiting passage to the active Eclair, unless Eclair's backlog has no room. */
  private tryNow(passage: Passage, destination: Destination | undefined): void {
    const side = this.passages.get(passage);
    if (side === undefined || passage.state !== "waiting") return;
    // The other host's door holds the connection, and knows the holder of the lease as well.
    if (side === "inner" && this.route.to !== "this-host") return passage.reset();
    if (destination === undefined || this.hasRefused(passage) || !this.mayConnect(destination))
      return this.noteHeld(passage);
    if (passage.eclairInstanceId !== undefined && passage.eclairInstanceId !== destination.eclairInstanceId)
      this.totals.moved += 1;
    this.lastConnected = passage;
    passage.connect(destination);
  }

  /**
   * Whether the active Eclair ended the connection without an answer: it does not answer the same bytes later. The door of another
   * host may have ended instead of its Eclair, and starts again.
   */
  private hasRefused({ closedAt, eclairInstanceId, isToDoor }: Passage): boolean {
    if (closedAt === undefined || eclairInstanceId !== holderOf(this.route)) return false;
    return !isToDoor || performance.now() - closedAt < otherDoorMilliseconds;
  }

  /** The door of another host queues the connections for its Eclair itself. */
  private mayConnect({ isOwn }: Destination): boolean {
    const { retryAt, lastConnected } = this;
    if (retryAt !== undefined && (lastConnected?.state === "connecting" || performance.now() < retryAt))
      return false;
    return !isOwn || this.backlog.take();
  }

  private noteHeld(passage: Passage): void {
    if (this.delayed.has(passage)) return;
    this.delayed.add(passage);
    this.totals.held += 1;
  }

  /** The active Eclair, while it may serve. */
  private get destination(): Destination | undefined {
    const { route } = this;
    if (route.to === "nobody") return undefined;
    const { eclairInstanceId, address } = route;
    const isOwn = route.to === "this-host";
    if (isOwn && !this.isValid(eclairInstanceId)) return undefined;
    const isDoor = route.to === "other-host" && route.hasDoor;
    const port = isDoor ? this.ports.inner : this.ports.outer;
    return { eclairInstanceId, address, port, isOwn, isDoor };
  }

  /** Takes passages from an Eclair that lost the lease, or can no longer prove that it holds the lease. */
  private removeWhere(isConcerned: (passage: Passage) => boolean): void {
    for (const passage of this.passages.keys()) {
      if (passage.eclairInstanceId === undefined || !isConcerned(passage)) continue;
      if (passage.state === "passing") this.totals.cut += 1;
      passage.leave();
    }
  }
}

const holderOf = (route: Route): string | undefined =>
  route.to === "nobody" ? undefined : route.eclairInstanceId;
