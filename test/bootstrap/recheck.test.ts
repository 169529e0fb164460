import { beforeEach, expect, test, vi } from "vitest";
import { Recheck } from "../../bootstrap/supervise/recheck.ts";

let now = 0;
vi.mock(import("../../bootstrap/supervise/clock.ts"), () => ({ boottime: () => now }));
beforeEach(() => {
  now = 0;
});

function recheck(differences: () => Promise<string[]>, refusal?: string) {
  const bootAgain = vi.fn<() => Promise<void>>(async () => await Promise.resolve());
  return { bootAgain, it: new Recheck(differences, { refusal: () => refusal, again: bootAgain }) };
}
const passive = () => true;

test("a passive host boots again with what has changed, and looks once a minute", async () => {
  const differences = vi.fn<() => Promise<string[]>>(async () => await Promise.resolve(["eclair.conf"]));
  const { bootAgain, it } = recheck(differences);
  await it.look(passive);
  expect(differences).not.toHaveBeenCalled();
  now = 60;
  await it.look(passive);
  await it.look(passive);
  expect(differences).toHaveBeenCalledTimes(1);
  expect(bootAgain).toHaveBeenCalledTimes(1);
});

test("an active one goes on, and so does one that can't look or finds nothing", async () => {
  const found = [
    async () => await Promise.resolve(["eclair.conf"]),
    async () => await Promise.resolve([]),
    async () => await Promise.reject<string[]>(new Error("throttled")),
  ];
  let turn = 0;
  const { bootAgain, it } = recheck(async () => await (found[turn] as () => Promise<string[]>)());
  for (turn = 0; turn < found.length; turn += 1) {
    now += 60;
    const is = turn > 0;
    await it.look(() => is);
  }
  expect(bootAgain).not.toHaveBeenCalled();
});

test("one that takes over while it looks goes on", async () => {
  let active = false;
  const { bootAgain, it } = recheck(async () => {
    active = true;
    return await Promise.resolve(["eclair.conf"]);
  });
  now = 60;
  await it.look(() => !active);
  expect(bootAgain).not.toHaveBeenCalled();
});

test("what a boot has refused is not tried again", async () => {
  const { bootAgain, it } = recheck(async () => await Promise.resolve(["node_seed.dat"]), "node-id.wrong");
  now = 60;
  await it.look(passive);
  expect(bootAgain).not.toHaveBeenCalled();
});
