import { beforeEach, expect, test, vi } from "vitest";
import { Recheck, type Differences } from "../../bootstrap/supervise/recheck.ts";
import { logged } from "../support/logged.ts";

let now = 0;
vi.mock(import("../../bootstrap/supervise/clock.ts"), () => ({ boottime: () => now }));
const { lines: said, clear } = logged();
beforeEach(() => {
  now = 0;
  clear();
});

const found = (id: string, ...names: string[]) =>
  vi.fn<() => Promise<Differences>>(async () => await Promise.resolve({ id, names }));

function recheck(differences: () => Promise<Differences>, boot: { goesOn?: boolean; refusal?: string } = {}) {
  const bootAgain = vi.fn<() => Promise<void>>(async () => await Promise.resolve());
  const boots = {
    goesOn: async () => await Promise.resolve(boot.goesOn === true),
    refusal: () => boot.refusal,
    again: bootAgain,
  };
  return { bootAgain, it: new Recheck(differences, boots) };
}
const passive = () => true;

test("a passive host boots again with what has changed, and looks once a minute", async () => {
  const differences = found("new", "eclair.conf");
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
  const finds = [
    found("new", "eclair.conf"),
    found("same"),
    async () => await Promise.reject<Differences>(new Error("throttled")),
  ];
  let turn = 0;
  const { bootAgain, it } = recheck(async () => await (finds[turn] as () => Promise<Differences>)());
  for (turn = 0; turn < finds.length; turn += 1) {
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
    return await Promise.resolve({ id: "new", names: ["eclair.conf"] });
  });
  now = 60;
  await it.look(() => !active);
  expect(bootAgain).not.toHaveBeenCalled();
});

test("a boot that goes on is not disturbed", async () => {
  const boot = { goesOn: true };
  const { bootAgain, it } = recheck(found("new", "eclair.conf"), boot);
  now = 60;
  await it.look(passive);
  expect(bootAgain).not.toHaveBeenCalled();
  boot.goesOn = false;
  now = 120;
  await it.look(passive);
  expect(bootAgain).toHaveBeenCalledTimes(1);
});

test("what a boot has refused is tried again when it is another, or after ten minutes", async () => {
  const boot: { refusal?: string } = {};
  let id = "wrong";
  const { bootAgain, it } = recheck(
    async () => await Promise.resolve({ id, names: ["node_seed.dat"] }),
    boot,
  );
  now = 60;
  await it.look(passive);
  expect(bootAgain).toHaveBeenCalledTimes(1);
  boot.refusal = "identity.node-id";
  for (now = 120; now < 660; now += 60) await it.look(passive);
  expect(bootAgain).toHaveBeenCalledTimes(1);
  expect(said().slice(1)).toEqual([
    {
      eclairAmi: "recheck",
      changed: ["node_seed.dat"],
      does: "nothing for now: the last boot refused",
      failed: "identity.node-id",
    },
  ]);
  now = 660;
  await it.look(passive);
  expect(bootAgain).toHaveBeenCalledTimes(2);
  id = "right";
  now = 720;
  await it.look(passive);
  expect(bootAgain).toHaveBeenCalledTimes(3);
});

test("a boot that was refused though nothing has changed is tried again too, until it is done", async () => {
  const boot: { refusal?: string } = { refusal: "target-group.denied" };
  const { bootAgain, it } = recheck(found("same"), boot);
  for (now = 60; now <= 660; now += 60) await it.look(passive);
  expect(bootAgain).toHaveBeenCalledTimes(2);
  delete boot.refusal;
  for (; now <= 1320; now += 60) await it.look(passive);
  expect(bootAgain).toHaveBeenCalledTimes(2);
});
