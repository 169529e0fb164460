import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Switchover } from "../../bootstrap/record/switchover.ts";
import { Switching, type SwitchingState } from "../../bootstrap/supervise/switching.ts";

let uptime = 1000;
vi.mock("../../bootstrap/supervise/clock.ts", () => ({ boottime: () => uptime }));

const asked: Switchover = {
  id: "11111111-1111-4111-8111-111111111111",
  from: "i-one",
  to: "i-two",
  by: "operator",
  until: new Date(Date.now() + 600_000).toISOString(),
  step: "asked",
};

/** A table with one request, of which writes can be lost. */
function world(request: Switchover = asked) {
  const its: { request: Switchover; writes: boolean; lease: SwitchingState["lease"] } = {
    request,
    writes: true,
    lease: { seen: true, holder: "its Eclair", remaining: 12 },
  };
  const table = {
    switchover: () => Promise.resolve(its.request),
    stepSwitchover: (before: Switchover, after: Switchover) => {
      if (!its.writes) return Promise.reject(new Error("no way there"));
      if (before.step !== its.request.step) return Promise.resolve(false);
      its.request = after;
      return Promise.resolve(true);
    },
  };
  const stop = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const host = (id: string) => {
    const switching = new Switching(table, id);
    const look = async (active: boolean, seconds = 1) => {
      uptime += seconds;
      await switching.look({ active, since: new Date().toISOString(), lease: its.lease }, stop);
    };
    return { look, holdBack: () => switching.holdBack };
  };
  return { its, stop, one: host("i-one"), two: host("i-two"), three: host("i-three"), host };
}

let here: ReturnType<typeof world>;
beforeEach(() => {
  here = world();
});

test("the active one accepts, gives the others time to notice, stops, and the other one serves", async () => {
  await here.one.look(true);
  expect(here.its.request.step).toBe("accepted");
  await here.one.look(true);
  expect(here.stop).not.toHaveBeenCalled();
  await here.one.look(true);
  expect(here.stop).toHaveBeenCalledOnce();
  expect(here.its.request.step).toBe("stopping");
  await here.two.look(false);
  expect(here.its.request.step).toBe("stopping");
  await here.two.look(true);
  expect(here.its.request.step).toBe("serving");
});

describe("the release is confirmed by the host that had the lease", () => {
  beforeEach(async () => {
    await here.one.look(true);
    await here.one.look(true, 2);
  });

  test.each<[string, SwitchingState["lease"], string]>([
    ["when it is free", { seen: true, holder: "its Eclair", remaining: 0 }, "released"],
    ["when another one has it", { seen: true, holder: "the next one", remaining: 12 }, "released"],
    ["not before", { seen: true, holder: "its Eclair", remaining: 12 }, "stopping"],
    ["not while it can't be seen", { seen: false, why: "no way there" }, "stopping"],
  ])("%s", async (_, lease, step) => {
    here.its.lease = lease;
    await here.three.look(false);
    expect(here.its.request.step).toBe("stopping");
    await here.one.look(false);
    expect(here.its.request.step).toBe(step);
    // Whether it was or not: who serves says so.
    await here.two.look(true);
    expect(here.its.request.step).toBe("serving");
  });

  test("and others hold back still", async () => {
    here.its.lease = { seen: true, holder: "its Eclair", remaining: 0 };
    await here.one.look(false);
    await here.three.look(false);
    expect(here.three.holdBack()).toMatch(/i-two is to take over/);
  });

  test("the one before says when it is active again", async () => {
    here.its.lease = { seen: true, holder: "its Eclair", remaining: 0 };
    await here.one.look(false);
    vi.setSystemTime(Date.now() + 1000);
    await here.one.look(true);
    vi.useRealTimers();
    expect(here.its.request.step).toBe("back");
  });
});

test("a word that was lost on its way to the table is said again, and Eclair is stopped once", async () => {
  await here.one.look(true);
  here.its.writes = false;
  await here.one.look(true, 2);
  expect(here.its.request.step).toBe("accepted");
  here.its.writes = true;
  await here.one.look(false);
  expect(here.its.request.step).toBe("stopping");
  await here.one.look(false);
  expect(here.stop).toHaveBeenCalledOnce();
});

test("a passive host accepts nothing", async () => {
  await here.one.look(false);
  await here.two.look(true);
  expect(here.its.request.step).toBe("asked");
});

describe("while it goes on, every host but the next one holds back", () => {
  beforeEach(() => {
    here = world({ ...asked, step: "accepted" });
  });

  test("for some seconds", async () => {
    await Promise.all([here.one.look(false), here.two.look(false), here.three.look(false)]);
    expect([here.one.holdBack(), here.two.holdBack(), here.three.holdBack()]).toEqual([
      expect.stringMatching(/i-two is to take over/),
      undefined,
      expect.stringMatching(/i-two is to take over/),
    ]);
    uptime += 16;
    expect([here.one.holdBack(), here.three.holdBack()]).toEqual([undefined, undefined]);
  });

  test("also by a supervisor that has begun since, for no longer", async () => {
    const anew = here.host("i-one");
    await anew.look(false);
    expect(anew.holdBack()).toMatch(/i-two/);
    uptime += 16;
    expect(anew.holdBack()).toBeUndefined();
  });
});

test("what is too old by the host's own reckoning is not heeded, though its clock is behind", async () => {
  await here.one.look(false);
  await here.one.look(true, 121);
  expect(here.its.request.step).toBe("asked");
});
