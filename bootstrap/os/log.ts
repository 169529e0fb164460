import { asEclairAmiError, EclairAmiError, messageOf } from "../contract/errors.ts";
import type { LogEvent, LoggedError, LogLevel, LogLine } from "../contract/log.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Writes one line of JSON to standard output. The unit sends it to the journal and, for some units, to the console. */
export function logEvent(event: LogEvent, fields: Fields = {}, level: LogLevel = "info"): void {
  console.log(JSON.stringify({ level, event, ...fields } satisfies LogLine));
}

/** Logs an error that the program handles. The level is `warn` by default: the program tries again by itself. */
export function logError(
  event: LogEvent,
  error: unknown,
  fields: Fields = {},
  level: LogLevel = "warn",
): void {
  logEvent(event, { ...fields, error: errorFields(error) }, level);
}

/** An error as a log line contains it. */
export function errorFields(error: unknown): LoggedError {
  return error instanceof EclairAmiError ? error.toJSON() : { message: messageOf(error) };
}

/** An error that ends a boot or a task: an unexpected error has a code as well. */
export const finalErrorFields = (error: unknown): LoggedError => asEclairAmiError(error).toJSON();

/** Logs a state when it changes, and not each time that it is read. */
export class ChangeLog {
  private readonly failedEvent: LogEvent;
  private lastLogged: string | undefined;

  /** @param failedEvent the event of `logError` */
  constructor(failedEvent: LogEvent) {
    this.failedEvent = failedEvent;
  }

  /** @param compared the values that decide whether the state changed; all fields by default */
  log(event: LogEvent, fields: Fields, compared: unknown = fields): void {
    if (this.hasChanged(JSON.stringify([event, compared]))) logEvent(event, fields);
  }

  /** Two errors of one kind are one state: their messages can contain an address or a time. */
  logError(error: unknown, fields?: Fields): void {
    if (this.hasChanged(error instanceof Error ? error.name : "")) logError(this.failedEvent, error, fields);
  }

  /** The state is normal: the next state is logged. */
  reset(): void {
    this.lastLogged = undefined;
  }

  private hasChanged(text: string): boolean {
    const changed = text !== this.lastLogged;
    this.lastLogged = text;
    return changed;
  }
}
