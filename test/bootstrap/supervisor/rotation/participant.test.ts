import { beforeEach, expect, test, vi } from "vitest";
import type { Rotation } from "../../../../bootstrap/contract/requests/rotation.ts";
import { RotationParticipant } from "../../../../bootstrap/supervisor/rotation/participant.ts";

const clock = vi.hoisted(() => ({ now: 0 }));
vi.mock("../../../../bootstrap/os/clock.ts", () => ({ boottime: () => clock.now }));

const rotation: Rotation = {
  id: "11111111-1111-4111-8111-111111111111",
  kind: "database",
  ...{ secretArn: "arn:a", secretName: "a", versionId: "v2", previousVersionId: "v1" },
  ...{ requestedBy: "operator", expiresAt: "2999-01-01T00:00:00.000Z", step: "testing" },
};

const restarting: Rotation = {
  ...rotation,
  ...{ step: "restarting", instanceId: "i-1", restartUntil: "2999-01-01T00:00:00.000Z" },
};

/** A host with its rendered version and the version in use. */
function host({ rendered = "v1", inUse = "v1", active = false, passive = true } = {}) {
  const state = { rotation: rotation as Rotation | undefined, rendered, inUse };
  const bootAgain = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const handOver = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const read = vi.fn<() => Promise<Rotation | undefined>>(() => Promise.resolve(state.rotation));
  const participant = new RotationParticipant({ read }, "i-1", bootAgain);
  const poll = async () => {
    clock.now += 3;
    await participant.poll(
      { active, secretVersions: { database: state.inUse } },
      { isPassive: () => passive, secretVersions: () => ({ database: state.rendered }), handOver },
    );
  };
  return { state, bootAgain, handOver, read, poll };
}

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});

test("a passive host boots again for each step in which it has another version, and after a boot that failed", async () => {
  const { state, bootAgain, poll } = host();
  await poll();
  clock.now += 113;
  await poll();
  expect(bootAgain).toHaveBeenCalledTimes(1);
  clock.now += 1;
  await poll();
  expect(bootAgain).toHaveBeenCalledTimes(2);
  state.rotation = { ...rotation, step: "promoted" };
  await poll();
  expect(bootAgain).toHaveBeenCalledTimes(3);
});

test("a host that has rendered the version does not boot again", async () => {
  const { bootAgain, poll } = host({ rendered: "v2" });
  await poll();
  expect(bootAgain).not.toHaveBeenCalled();
});

test.each(["finished", "abandoned"] as const)("a rotation that is %s has no effect", async (step) => {
  const { state, bootAgain, handOver, poll } = host({ active: true });
  state.rotation = { ...rotation, step, instanceId: "i-1" };
  await poll();
  state.rotation = undefined;
  await poll();
  expect(bootAgain).not.toHaveBeenCalled();
  expect(handOver).not.toHaveBeenCalled();
});

test("an active host continues with its version while another instance can take over", async () => {
  const { state, bootAgain, poll } = host({ active: true, passive: false });
  await poll();
  state.rotation = { ...rotation, step: "promoted" };
  await poll();
  state.rotation = { ...restarting, instanceId: "i-2" };
  await poll();
  expect(bootAgain).not.toHaveBeenCalled();
});

test("an active host without a standby boots again, and then stops its Eclair once", async () => {
  const { state, bootAgain, handOver, poll } = host({ active: true, passive: false });
  state.rotation = restarting;
  await poll();
  expect(bootAgain).toHaveBeenCalledTimes(1);
  expect(handOver).not.toHaveBeenCalled();
  state.rendered = "v2";
  await poll();
  await poll();
  expect(handOver).toHaveBeenCalledTimes(1);
});

test("an active host does not stop its Eclair after the time for which the operator's command waits", async () => {
  const { state, bootAgain, handOver, poll } = host({ active: true, passive: false, rendered: "v2" });
  state.rotation = { ...restarting, restartUntil: "2026-01-01T00:00:00.000Z" };
  await poll();
  state.rendered = "v1";
  await poll();
  expect(bootAgain).not.toHaveBeenCalled();
  expect(handOver).not.toHaveBeenCalled();
});

test("a rotation that has expired has no effect", async () => {
  const { state, bootAgain, poll } = host();
  state.rotation = { ...rotation, expiresAt: "2026-01-01T00:00:00.000Z" };
  await poll();
  expect(bootAgain).not.toHaveBeenCalled();
});

test("an action that failed is repeated, and a table that cannot be read delays nothing", async () => {
  const { bootAgain, read, poll } = host();
  bootAgain.mockRejectedValueOnce(new Error("systemd is busy"));
  await poll();
  read.mockRejectedValueOnce(new Error("timeout"));
  await poll();
  await poll();
  await poll();
  expect(bootAgain).toHaveBeenCalledTimes(2);
});
