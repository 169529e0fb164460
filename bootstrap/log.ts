/** One structured line a step, on standard output: the unit sends it to the journal and the console. */
export function logLine(name: string, facts: Readonly<Record<string, unknown>> = {}): void {
  console.log(JSON.stringify({ eclairAmi: name, ...facts }));
}

/** Runs a step and logs its duration in milliseconds, or its failure. */
export async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const ms = () => Math.round(performance.now() - started);
  try {
    const result = await run();
    logLine(name, { ms: ms() });
    return result;
  } catch (error) {
    logLine(name, { ms: ms(), failed: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}
