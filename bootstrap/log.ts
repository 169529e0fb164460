import { failureOf, messageOf } from "./failure.ts";

/** One structured line a step, on standard output: the unit sends it to the journal and the console. */
export function logLine(name: string, facts: Readonly<Record<string, unknown>> = {}): void {
  console.log(JSON.stringify({ eclairAmi: name, ...facts }));
}

/** Logs how one thing stands when that has changed, and not every time that it is looked at. */
export class ChangeLog {
  private readonly name: string;
  private told: string | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** @param gist what of it makes a change, where not all does */
  tell(facts: Readonly<Record<string, unknown>>, gist: unknown = facts): void {
    const text = JSON.stringify(gist);
    if (text !== this.told) logLine(this.name, facts);
    this.told = text;
  }

  /** Of one failure the words may be others each time, such as an address or a time. */
  fail(error: unknown): void {
    this.tell({ failed: messageOf(error) }, error instanceof Error ? error.name : "");
  }

  /** Nothing is to be told: what is told next has changed. */
  clear(): void {
    this.told = undefined;
  }
}

/** What a log says of a failure: code, cause, what to do, and whether it is tried again. */
export function failureFacts(error: unknown): Record<string, unknown> {
  const { code, message, remedy, heals } = failureOf(error);
  return { code, cause: message, remedy, triedAgain: heals };
}
