/** What the supervisor sees; each part says why when it can't be seen. */
export type Unseen = { readonly seen: false; readonly why: string };

export type Bitcoind =
  | (Unseen & { readonly warmingUp?: boolean })
  | {
      readonly seen: true;
      readonly chain: string;
      readonly blocks: number;
      readonly headers: number;
      /** By Eclair's own conditions, so that Eclair does not find otherwise. */
      readonly synced: boolean;
      /** Whether the node's wallet is loaded, and if not, why. */
      readonly wallet: true | string;
    };

export type Lease =
  | Unseen
  | {
      readonly seen: true;
      /** The Eclair process that holds it, by the id it made for itself; none when nobody ever did. */
      readonly holder?: string;
      /** Seconds, by the database's clock; zero or less when it is free. */
      readonly remaining: number;
    };

export type Eclair = {
  /** The one that has a way to the database, if there is one. */
  readonly unit: "stopped" | "running" | "stopping";
  /** Its unit's main process; 0 when there is none. */
  readonly process: number;
  /** The id that it made for itself. */
  readonly instanceId?: string;
  /** What it says of itself, once its API answers. */
  readonly info?: {
    readonly instanceId: string;
    readonly nodeId: string;
    readonly blockHeight: number;
  };
  /** Another one, which is started and held before its first connection. */
  readonly armed: "no" | "starting" | "yes";
};

/** What was last mirrored into the cluster record by this host. */
export type Mirrored =
  | Unseen
  | {
      readonly seen: true;
      readonly generation: number;
      readonly counter: number;
      /** When, in ISO 8601. */
      readonly at: string;
    };

export type Observation = {
  readonly bitcoind: Bitcoind;
  readonly lease: Lease;
  readonly eclair: Eclair;
};
