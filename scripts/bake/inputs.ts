/** What goes into an image besides Debian: everything with its digest, and whether it may be released. */
export type Input = {
  readonly name: "eclair" | "bitcoind";
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
  /** Where it came from, for people. */
  readonly source: string;
  /** Why an image with it must not be released; absent when it may. */
  readonly unreleasable?: string;
};

export type Inputs = {
  readonly eclair: Input & { readonly kind: "real" | "double" };
  readonly bitcoind: Input & { readonly kind: "release" | "debian" };
};

/** An image may be released only when each of its parts may. */
export function releaseOf(inputs: Inputs): { readonly release: boolean; readonly reason: string } {
  const reasons = [inputs.eclair.unreleasable, inputs.bitcoind.unreleasable].filter(
    (reason): reason is string => reason !== undefined,
  );
  return reasons.length === 0
    ? { release: true, reason: "every artifact is pinned and verified" }
    : { release: false, reason: reasons.join("; ") };
}
