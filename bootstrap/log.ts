import { failureOf } from "./failure.ts";

/** One structured line a step, on standard output: the unit sends it to the journal and the console. */
export function logLine(name: string, facts: Readonly<Record<string, unknown>> = {}): void {
  console.log(JSON.stringify({ eclairAmi: name, ...facts }));
}

/** What a log says of a failure: code, cause, what to do, and whether it is tried again. */
export function failureFacts(error: unknown): Record<string, unknown> {
  const { code, message, remedy, heals } = failureOf(error);
  return { code, cause: message, remedy, triedAgain: heals };
}
