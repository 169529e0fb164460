/** Ctrl-C in a terminal sends two signals: one from the terminal, and one from the launcher. */
const sameInterruptMilliseconds = 1000;

/**
 * Aborts at the first Ctrl-C or SIGTERM, and at the end of the terminal (SIGHUP). A later second signal ends the process at once.
 * @param message printed at the first signal
 */
export function interruptSignal(message = "interrupted: cleaning up …\n"): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      // Nobody reads what the cleanup prints to a terminal that has ended.
      if (signal === "SIGHUP")
        for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
      if (!controller.signal.aborted) {
        first = performance.now();
        process.stderr.write(message);
        controller.abort();
      } else if (performance.now() - first > sameInterruptMilliseconds) process.exit(130);
    });
  return controller.signal;
}
