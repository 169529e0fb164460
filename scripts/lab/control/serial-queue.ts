/** Creates a queue that runs tasks one at a time, in their order. */
export function serialQueue(): (task: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return async (task) => {
    const previous = last;
    last = (async () => {
      // The caller of the previous task handles its error.
      await previous.catch(() => undefined);
      await task();
    })();
    await last;
  };
}
