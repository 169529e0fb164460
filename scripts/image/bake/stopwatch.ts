export type PhaseDuration = {
  readonly name: string;
  /** Since the start of the stopwatch. */
  readonly startSeconds: number;
  readonly durationSeconds: number;
};

const toSeconds = (milliseconds: number) => Math.round(milliseconds) / 1000;

/** Measures phases that follow one another. */
export class Stopwatch {
  private readonly now: () => number;
  private readonly startedAt: number;
  private readonly completed: PhaseDuration[] = [];
  private current: { readonly name: string; readonly startedAt: number } | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.startedAt = now();
  }

  /** Ends the current phase and begins the next one. The name of the current phase continues this phase. */
  begin(name: string): void {
    if (this.current?.name === name) return;
    this.stop();
    this.current = { name, startedAt: this.now() };
  }

  stop(): void {
    if (this.current === undefined) return;
    const { name, startedAt } = this.current;
    this.completed.push({
      name,
      startSeconds: toSeconds(startedAt - this.startedAt),
      durationSeconds: toSeconds(this.now() - startedAt),
    });
    this.current = undefined;
  }

  /** The current phase, or the last phase that ended. */
  get last(): string | undefined {
    return this.current?.name ?? this.completed.at(-1)?.name;
  }

  get phases(): readonly PhaseDuration[] {
    return this.completed;
  }

  get totalSeconds(): number {
    return toSeconds(this.now() - this.startedAt);
  }
}
