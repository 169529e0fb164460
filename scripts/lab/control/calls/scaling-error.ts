/** An error that AWS returns for a call. */
export class CallError extends Error {
  readonly code: string;

  constructor(message: string, code = "ValidationError") {
    super(message);
    this.code = code;
  }
}

/** Returns the inner XML of a successful response. @throws CallError */
export type ScalingHandler = (form: URLSearchParams) => Promise<string>;

export type ScalingHandlers = Readonly<Record<string, ScalingHandler>>;
