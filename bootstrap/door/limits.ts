/** The limits of a door. Eclair has limits of its own for the connections that it accepts. */
export const doorLimits = {
  /** Two file descriptors for each connection; the unit permits 131,072. */
  connections: 60_000,
  /** Connections without an answer of Eclair. */
  pending: 4_096,
  /**
   * The same for one source, so that one source cannot take all. A load balancer that hides its clients is one source. The doors
   * of other hosts have applied the limit to their clients.
   */
  pendingPerSource: 2_048,
  /** While no Eclair can be reached. lnd gives up a handshake after five seconds. */
  heldMilliseconds: 4_000,
  /** While Eclair accepts the connections that wait, one after another: many peers connect after a takeover. */
  queuedMilliseconds: 10_000,
  /** A client that has sent less has not begun a handshake: the first act has 50 bytes (BOLT 8). */
  firstActBytes: 50,
  /** A Lightning client sends the first act as soon as it is connected. */
  silentMilliseconds: 10_000,
  /** A client may keep a connection that Eclair has ended for this time. */
  halfClosedMilliseconds: 10_000,
  /** Connections that this host's Eclair has not accepted yet: akka's backlog has room for 100. */
  unaccepted: 64,
  /** Connections that a door closes per second when its host leaves: their peers connect again at once. */
  closedPerSecond: 800,
} as const;

export type DoorLimits = Readonly<Record<keyof typeof doorLimits, number>>;
