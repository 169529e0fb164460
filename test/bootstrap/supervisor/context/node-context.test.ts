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
])("waits 3 s for what is in progress, whatever $hanging takes", async ({ settling }) => {
  const { context } = contextOf(settling);
  const settled = vi.fn<() => void>();
  void context.settle().then(settled);
  await vi.advanceTimersByTimeAsync(2_900);
  expect(settled).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(200);
  expect(settled).toHaveBeenCalledTimes(1);
});

test("a context that another one has replaced closes its databases after everything in progress has ended", async () => {
  const budget = Promise.withResolvers<void>();
  const { context, close } = contextOf({ recordMirror: Promise.resolve(), budget: budget.promise });
  const retired = context.retire();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(close).not.toHaveBeenCalled();
  budget.resolve();
  await retired;
  expect(close).toHaveBeenCalledTimes(2);
});
