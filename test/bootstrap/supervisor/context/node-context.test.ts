import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NodeContext } from "../../../../bootstrap/supervisor/context/node-context.ts";

// vitest's clock does not replace the timers of this module.
vi.mock("node:timers/promises", () => ({
  setTimeout: async (milliseconds: number) =>
    await new Promise((resolve) => void setTimeout(resolve, milliseconds)),
}));
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new Promise<void>(() => undefined);

/** A context of these parts, without the files from which a context is created. */
function contextOf(settling: { readonly recordMirror: Promise<void>; readonly budget: Promise<void> }) {
  const close = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const context = Object.assign(Object.create(NodeContext.prototype) as NodeContext, {
    recordMirror: { settle: () => settling.recordMirror },
    budget: { settle: () => settling.budget },
    leaseDatabase: { close },
    database: { close },
  });
  return { context, close };
}

test.each([
  { hanging: "a budget", settling: { recordMirror: Promise.resolve(), budget: never } },
  { hanging: "a mirror of the record", settling: { recordMirror: never, budget: Promise.resolve() } },
])("closes its databases after 3 s, whatever $hanging in progress takes", async ({ settling }) => {
  const { context, close } = contextOf(settling);
  const closed = context.close();
  await vi.advanceTimersByTimeAsync(2_900);
  expect(close).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  await closed;
  expect(close).toHaveBeenCalledTimes(2);
});

test("closes its databases at once when nothing is in progress", async () => {
  const { context, close } = contextOf({ recordMirror: Promise.resolve(), budget: Promise.resolve() });
  await context.close();
  expect(close).toHaveBeenCalledTimes(2);
});
