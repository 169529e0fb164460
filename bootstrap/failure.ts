/** Exit statuses of the boot unit: systemd tries again after the first, and leaves it at the second. */
export const exits = { again: 75, refused: 78 } as const;

/**
 * Why a phase ended: what is wrong, what to do, and whether it can heal by itself.
 * Nothing secret ever stands in it.
 */
export class BootFailure extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly heals: boolean;

  constructor(
    facts: { code: string; cause: string; remedy: string; heals?: boolean },
    options?: { readonly cause?: unknown },
  ) {
    super(facts.cause, options);
    this.name = "BootFailure";
    this.code = facts.code;
    this.remedy = facts.remedy;
    this.heals = facts.heals ?? false;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** Whatever was thrown, as a failure: what nobody foresaw is tried again. */
export function failureOf(error: unknown): BootFailure {
  if (error instanceof BootFailure) return error;
  return new BootFailure(
    { code: "unexpected", cause: messageOf(error), remedy: "report it", heals: true },
    { cause: error },
  );
}
