import type { ErrorCode } from "./error-codes.ts";
import { networkMessage } from "./network-errors.ts";

export type ErrorFacts = {
  /** Stable, for programs. `docs/reference/errors.md` lists every code. */
  readonly code: ErrorCode;
  /** What the program was doing, such as `reading a secret`. */
  readonly operation: string;
  /** What is wrong, and where. Never a secret. */
  readonly message: string;
  /** What the reader does about it. */
  readonly remedy: string;
  /** What the operation may have changed or left behind; absent when it changed nothing. */
  readonly mayHaveChanged?: string | undefined;
  /** Whether the same operation can succeed later with no change by an operator. False by default. */
  readonly retryable?: boolean;
  /** Exit code of a command that ends with this error. 1 by default; 2 when the input is wrong. */
  readonly exitCode?: number;
};

/** An expected error of this project. The instance and the command line share it. The original error is its `cause`. */
export class EclairAmiError extends Error {
  readonly code: ErrorCode;
  readonly operation: string;
  readonly remedy: string;
  readonly mayHaveChanged: string | undefined;
  readonly retryable: boolean;
  readonly exitCode: number;

  constructor(facts: ErrorFacts, options?: { readonly cause?: unknown }) {
    super(facts.message, options);
    this.name = "EclairAmiError";
    this.code = facts.code;
    this.operation = facts.operation;
    this.remedy = facts.remedy;
    this.mayHaveChanged = facts.mayHaveChanged;
    this.retryable = facts.retryable ?? false;
    this.exitCode = facts.exitCode ?? 1;
  }

  /** The same error with what the operation left behind. */
  withChange(mayHaveChanged: string): EclairAmiError {
    return new EclairAmiError({ ...this.facts(), mayHaveChanged }, { cause: this.cause });
  }

  /** The same error, which can disappear by itself. */
  asRetryable(remedy: string): EclairAmiError {
    return new EclairAmiError({ ...this.facts(), remedy, retryable: true }, { cause: this.cause });
  }

  /** The error as logs, reports and `--json` show it. */
  toJSON(): LoggedFacts {
    const { mayHaveChanged, code, operation, message, remedy, retryable } = this.facts();
    return {
      code,
      operation,
      message,
      remedy,
      ...(mayHaveChanged !== undefined && { mayHaveChanged }),
      retryable: retryable ?? false,
    };
  }

  private facts(): ErrorFacts {
    const { code, operation, message, remedy, mayHaveChanged, retryable, exitCode } = this;
    return { code, operation, message, remedy, mayHaveChanged, retryable, exitCode };
  }
}

type LoggedFacts = Omit<ErrorFacts, "exitCode">;

/** The message of any thrown value, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? networkMessage(error) || error.name : String(error);
}

/** Any thrown value as an error of this project. An unexpected error is retryable. */
export function asEclairAmiError(error: unknown): EclairAmiError {
  if (error instanceof EclairAmiError) return error;
  return new EclairAmiError(
    {
      code: "unexpected",
      operation: "running eclair-ami",
      message: messageOf(error),
      remedy: "report this error",
      retryable: true,
    },
    { cause: error },
  );
}
