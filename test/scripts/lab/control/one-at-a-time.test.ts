import { expect, test } from "vitest";
import { serialQueue, sharedRuns } from "../../../../scripts/lab/control/one-at-a-time.ts";

test("a queue starts a task after the end of the previous task, also of a failed one", async () => {
  const enqueue = serialQueue();
  const steps: string[] = [];
  const first = Promise.withResolvers<void>();
  const results = Promise.allSettled([
    enqueue(async () => {
      steps.push("first starts");
      await first.promise;
      steps.push("first ends");
      throw new Error("unreachable");
    }),
    enqueue(async () => {
      steps.push("second");
      return await Promise.resolve("done");
    }),
  ]);
  first.resolve();
  const [failed, done] = await results;
  expect(failed.status).toBe("rejected");
  expect(done).toEqual({ status: "fulfilled", value: "done" });
  expect(steps).toEqual(["first starts", "first ends", "second"]);
});

test("calls during a run share the next run", async () => {
  const { started, run, finish } = controlledRuns();
  const first = run();
  const later = [run(), run(), run()];
  await tick();
  expect(started()).toBe(1);
  finish(0);
  await first;
  await tick();
  expect(started()).toBe(2);
  finish(1);
  await Promise.all(later);
  expect(started()).toBe(2);
});

test("a call does not use a run that started before it", async () => {
  const { started, run, finish } = controlledRuns();
  const first = run();
  const second = run();
  let ended = false;
  const observed = second.then(() => {
    ended = true;
  });
  finish(0);
  await first;
  await tick();
  expect([started(), ended]).toEqual([2, false]);
  finish(1);
  await observed;
});

test("only the callers of a run get its error", async () => {
  const { run, finish } = controlledRuns();
  const first = run();
  const second = run();
  finish(0, new Error("HAProxy did not load its new configuration"));
  await expect(first).rejects.toThrow("HAProxy");
  finish(1);
  await expect(second).resolves.toBeUndefined();
});

function controlledRuns() {
  const runs: PromiseWithResolvers<void>[] = [];
  const at = (index: number) => (runs[index] ??= Promise.withResolvers<void>());
  let count = 0;
  return {
    started: () => count,
    run: sharedRuns(async () => {
      count += 1;
      await at(count - 1).promise;
    }),
    finish: (index: number, error?: Error) => {
      if (error === undefined) at(index).resolve();
      else at(index).reject(error);
    },
  };
}

const tick = () => new Promise((resolve) => setImmediate(resolve));
