/** Exit codes of every verb. */
export const exitCodes = { done: 0, failed: 1, wrongUse: 2, interrupted: 130 } as const;

export type FailureFacts = {
  /** A stable word for programs, e.g. `artifact.digest`. */
  readonly code: string;
  /** What was being done when it failed. */
  readonly doing: string;
  /** What went wrong, and where. */
  readonly cause: string;
  /** What to do about it. */
  readonly remedy: string;
  /** What may have changed, or what was left; absent when nothing did. */
  readonly changed?: string;
  /** 2 when the input is at fault, else 1. */
  readonly exit?: (typeof exitCodes)[keyof typeof exitCodes];
};

/** An expected failure: it is shown without a stack, with what to do. */
export class Failure extends Error {
  readonly facts: FailureFacts;

  constructor(facts: FailureFacts) {
    super(`${facts.doing}: ${facts.cause}`);
    this.name = "Failure";
    this.facts = facts;
  }
}

/** The text a person gets for any error. */
export function describeError(error: unknown): string {
  if (!(error instanceof Failure))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { code, doing, cause, remedy, changed } = error.facts;
  const lines = [`${doing}: ${cause}`, `To do: ${remedy}`];
  if (changed !== undefined) lines.push(`Left behind: ${changed}`);
  return `${lines.join("\n")}\n(${code})`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
