/** Creates a queue that runs tasks one at a time, in their order. */
export function serialQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async (task) => {
    const previous = last;
    const current = (async () => {
      // The caller of the previous task handles its error.
      await previous.catch(() => undefined);
      return await task();
    })();
    last = current;
    return await current;
  };
}

/**
 * Makes a task whose runs never overlap. A call waits for a run that starts after the call, and calls that wait share one run:
 * with a run for each call, the calls of a busy moment would wait for each other until their callers give up and repeat them.
 */
export function sharedRuns(task: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  return async () => {
    // The callers of that run handle its error.
    if (current !== undefined) await current.catch(() => undefined);
    current ??= task().finally(() => {
      current = undefined;
    });
    await current;
  };
}
