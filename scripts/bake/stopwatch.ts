export type PhaseDuration = {
  readonly phase: string;
  /** Seconds since the start of the whole. */
  readonly start: number;
  readonly seconds: number;
};

const round = (milliseconds: number) => Math.round(milliseconds) / 1000;

/** Times phases that follow one another. */
export class Stopwatch {
  private readonly now: () => number;
  private readonly origin: number;
  private readonly done: PhaseDuration[] = [];
  private current: { phase: string; started: number } | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.origin = now();
  }

  /** Ends the phase at hand and begins another; the same one again just goes on. */
  begin(phase: string): void {
    if (this.current?.phase === phase) return;
    this.stop();
    this.current = { phase, started: this.now() };
  }

  stop(): void {
    if (this.current === undefined) return;
    const { phase, started } = this.current;
    this.done.push({ phase, start: round(started - this.origin), seconds: round(this.now() - started) });
    this.current = undefined;
  }

  get last(): string | undefined {
    return this.current?.phase ?? this.done.at(-1)?.phase;
  }

  get phases(): readonly PhaseDuration[] {
    return this.done;
  }

  get totalSeconds(): number {
    return round(this.now() - this.origin);
  }
}
