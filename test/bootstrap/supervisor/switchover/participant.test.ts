import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Switchover } from "../../../../bootstrap/contract/requests/switchover.ts";
import {
  SwitchoverParticipant,
  type ParticipantState,
} from "../../../../bootstrap/supervisor/switchover/participant.ts";
import { captureLog } from "../../../support/log-capture.ts";

let uptime = 1000;
vi.mock("../../../../bootstrap/os/clock.ts", () => ({ boottime: () => uptime }));
captureLog();

const requested: Switchover = {
  id: "11111111-1111-4111-8111-111111111111",
  fromInstanceId: "i-one",
  toInstanceId: "i-two",
  requestedBy: "operator",
  expiresAt: new Date(Date.now() + 600_000).toISOString(),
  step: "requested",
};
const previousHolder = "previous";

/** Three hosts and a table with one request. */
function setUp(request: Switchover = requested) {
  const state: { request: Switchover; isTableWritable: boolean; lease: ParticipantState["lease"] } = {
    request,
    isTableWritable: true,
    lease: { known: true, holderEclairInstanceId: previousHolder, remainingSeconds: 12 },
  };
  const requests = {
    read: () => Promise.resolve(state.request),
    advance: (before: Switchover, after: Switchover) => {
      if (!state.isTableWritable) return Promise.reject(new Error("timeout"));
      if (before.step !== state.request.step) return Promise.resolve(false);
      state.request = after;
      return Promise.resolve(true);
    },
  };
  const stop = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const host = (instanceId: string) => {
    const participant = new SwitchoverParticipant(requests, instanceId);
    const poll = async (active: boolean, seconds = 1) => {
      uptime += seconds;
      await participant.poll({ active, roleSince: new Date().toISOString(), lease: state.lease }, stop);
    };
    return { poll, holdBackReason: () => participant.holdBackReason };
  };
  return { state, stop, one: host("i-one"), two: host("i-two"), three: host("i-three"), host };
}

let cluster: ReturnType<typeof setUp>;
beforeEach(() => {
  cluster = setUp();
});

test("the active instance accepts, waits until every instance knows, and stops Eclair; then the target serves", async () => {
  await cluster.one.poll(true);
  expect(cluster.state.request.step).toBe("accepted");
  await cluster.one.poll(true);
  expect(cluster.stop).not.toHaveBeenCalled();
  await cluster.one.poll(true);
  expect(cluster.stop).toHaveBeenCalledOnce();
  expect(cluster.state.request.step).toBe("stopping");
  await cluster.two.poll(false);
  expect(cluster.state.request.step).toBe("stopping");
  await cluster.two.poll(true);
  expect(cluster.state.request.step).toBe("serving");
});

describe("after the previous instance stopped Eclair,", () => {
  beforeEach(async () => {
    await cluster.one.poll(true);
    await cluster.one.poll(true, 2);
  });

  test.each<[string, ParticipantState["lease"], string]>([
    [
      "confirms the release when the lease is free",
      { known: true, holderEclairInstanceId: previousHolder, remainingSeconds: 0 },
      "released",
    ],
    [
      "confirms the release when another Eclair holds the lease",
      { known: true, holderEclairInstanceId: "next", remainingSeconds: 12 },
      "released",
    ],
    [
      "does not confirm the release while its Eclair holds the lease",
      { known: true, holderEclairInstanceId: previousHolder, remainingSeconds: 12 },
      "stopping",
    ],
    [
      "does not confirm the release while the lease cannot be read",
      { known: false, reason: "no answer" },
      "stopping",
    ],
  ])("only that instance %s", async (_title, lease, step) => {
    cluster.state.lease = lease;
    await cluster.three.poll(false);
    expect(cluster.state.request.step).toBe("stopping");
    await cluster.one.poll(false);
    expect(cluster.state.request.step).toBe(step);
    // The target reports that it serves in either case.
    await cluster.two.poll(true);
    expect(cluster.state.request.step).toBe("serving");
  });

  test("the other instances still hold back when the lease is released", async () => {
    cluster.state.lease = { known: true, holderEclairInstanceId: previousHolder, remainingSeconds: 0 };
    await cluster.one.poll(false);
    await cluster.three.poll(false);
    expect(cluster.three.holdBackReason()).toBe("i-two takes over: operator requested a switchover");
  });

  test("the previous instance reports that the switchover is reverted when it is active again", async () => {
    cluster.state.lease = { known: true, holderEclairInstanceId: previousHolder, remainingSeconds: 0 };
    await cluster.one.poll(false);
    vi.setSystemTime(Date.now() + 1000);
    await cluster.one.poll(true);
    vi.useRealTimers();
    expect(cluster.state.request.step).toBe("reverted");
  });
});

test("an instance writes a step again after a failed write, and stops Eclair once", async () => {
  await cluster.one.poll(true);
  cluster.state.isTableWritable = false;
  await cluster.one.poll(true, 2);
  expect(cluster.state.request.step).toBe("accepted");
  cluster.state.isTableWritable = true;
  await cluster.one.poll(false);
  expect(cluster.state.request.step).toBe("stopping");
  await cluster.one.poll(false);
  expect(cluster.stop).toHaveBeenCalledOnce();
});

test("a passive instance accepts no switchover", async () => {
  await cluster.one.poll(false);
  await cluster.two.poll(true);
  expect(cluster.state.request.step).toBe("requested");
});

describe("during a switchover, every instance except the target leaves a free lease to the target", () => {
  beforeEach(() => {
    cluster = setUp({ ...requested, step: "accepted" });
  });

  test("for fifteen seconds", async () => {
    await Promise.all([cluster.one.poll(false), cluster.two.poll(false), cluster.three.poll(false)]);
    const holdsBack = "i-two takes over: operator requested a switchover";
    const { one, two, three } = cluster;
    expect([one.holdBackReason(), two.holdBackReason(), three.holdBackReason()]).toEqual([
      holdsBack,
      undefined,
      holdsBack,
    ]);
    uptime += 16;
    expect([one.holdBackReason(), three.holdBackReason()]).toEqual([undefined, undefined]);
  });

  test("also when its supervisor restarted in the meantime, and for no longer", async () => {
    const restarted = cluster.host("i-one");
    await restarted.poll(false);
    expect(restarted.holdBackReason()).toMatch(/i-two/);
    uptime += 16;
    expect(restarted.holdBackReason()).toBeUndefined();
  });
});

test("an instance ignores a switchover that it has known for two minutes, although its clock is behind", async () => {
  await cluster.one.poll(false);
  await cluster.one.poll(true, 121);
  expect(cluster.state.request.step).toBe("requested");
});
