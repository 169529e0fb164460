/** What happens to a channel when a block arrives and the node is away, or has just come back. */
export type DeadlineEvent = keyof typeof deadlineEvents;

type EventFacts = {
  /** What happens, as the end of the sentence "N blocks until ...". */
  readonly text: (channel: string) => string;
  /** Whether the height depends on a peer or on a block that the database does not contain. */
  readonly estimate: boolean;
  /** Whether the event limits how long the node may be away. */
  readonly limits: boolean;
};

/**
 * The rules are those of Eclair 0.13.0 to 0.14.1 (`Channel.handleNewBlock`, `Commitment.timedOutOutgoingHtlcs` and
 * `almostTimedOutIncomingHtlcs`) and of BOLT 5.
 */
export const deadlineEvents = {
  /** Eclair closes with the first block that it processes at this height or a later one, even while the peer is offline. */
  "eclair-closes": { text: (channel) => `Eclair closes ${channel} by force`, estimate: false, limits: true },
  /** The HTLC of a payment whose preimage Eclair knows has expired: the peer can take the money back on chain. */
  "peer-takes": {
    text: (channel) => `the peer of ${channel} can take an HTLC that Eclair knows the preimage of`,
    estimate: false,
    limits: true,
  },
  /** Every implementation closes a channel whose own HTLC has expired. For a relay, the money is lost at this height. */
  "peer-closes": {
    text: (channel) => `the peer closes ${channel} by force`,
    estimate: true,
    limits: true,
  },
  /** The peer has sent the preimage of our HTLC, and the HTLC is not removed yet: the peer closes before it expires. */
  "informed-peer-closes": {
    text: (channel) => `the peer closes ${channel} by force, because it knows the preimage of an HTLC`,
    estimate: true,
    limits: true,
  },
  /** A peer that knows the preimage and has not sent it closes before our HTLC expires. The database does not tell. */
  "payee-closes": {
    text: (channel) => `the peer closes ${channel} by force, when it knows the preimage of an HTLC`,
    estimate: true,
    limits: false,
  },
  /** The HTLC has failed, and the peer was not told. The peer may close at its expiry; no money is lost. */
  "failed-htlc-expires": {
    text: (channel) => `the peer closes ${channel} by force, when it was not told that an HTLC has failed`,
    estimate: true,
    limits: false,
  },
  /** On chain: the peer can take an HTLC that Eclair has not claimed. */
  "htlc-expires": {
    text: (channel) => `the peer can take an HTLC of ${channel} on chain`,
    estimate: false,
    limits: true,
  },
  /** On chain: Eclair can take back an HTLC that the peer has not claimed. Nothing is lost at this height. */
  "htlc-returns": {
    text: (channel) => `Eclair can take back an HTLC of ${channel} on chain`,
    estimate: false,
    limits: false,
  },
  /**
   * On chain: the peer published a revoked commitment, and can spend its outputs from this height on. Too late when the
   * commitment was confirmed while the node was away, because no table has its height.
   */
  "penalty-ends": {
    text: (channel) => `the peer can spend the revoked commitment of ${channel}`,
    estimate: true,
    limits: true,
  },
  /** A peer that publishes a revoked commitment now could spend its outputs, because no Eclair would have seen it. */
  "revoked-unseen": {
    text: () => "a peer could spend a revoked commitment that no Eclair has seen",
    estimate: false,
    limits: true,
  },
} as const satisfies Readonly<Record<string, EventFacts>>;
