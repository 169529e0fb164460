import { vi } from "vitest";

/** Keeps what the bootstrap logs off the terminal, for a test to look at. */
export function logged(): { readonly lines: () => unknown[]; readonly clear: () => void } {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  return {
    lines: () => log.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown),
    clear: () => void log.mockClear(),
  };
}
