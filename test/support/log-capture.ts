import { vi } from "vitest";

/** Captures the log lines of the bootstrap, so that a test can read them. */
export function captureLog(): { readonly lines: () => unknown[]; readonly clear: () => void } {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  return {
    lines: () => log.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown),
    clear: () => void log.mockClear(),
  };
}
