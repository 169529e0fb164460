/** A terminal's Ctrl-C comes twice: from the terminal, and passed on by the launcher. */
const sameInterruptMilliseconds = 1000;

/** Aborted by the first Ctrl-C or SIGTERM; a second one, later, ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        first = performance.now();
        process.stderr.write("interrupted: cleaning up …\n");
        controller.abort();
      } else if (performance.now() - first > sameInterruptMilliseconds) process.exit(130);
    });
  return controller.signal;
}
