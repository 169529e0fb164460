/** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      process.stderr.write("interrupted: cleaning up …\n");
      controller.abort();
    });
  return controller.signal;
}
