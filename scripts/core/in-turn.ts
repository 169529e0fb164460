/** Runs what it is given one after another, in the order in which it came. */
export function inTurn(): (task: () => Promise<void>) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return async (task) => {
    const before = last;
    last = (async () => {
      // How the one before ended is its own caller's to know.
      await before.catch(() => undefined);
      await task();
    })();
    await last;
  };
}
