import { expect, test } from "vitest";
import type { Slot } from "../../../../bootstrap/eclair/slot.ts";
import { StartFailures } from "../../../../bootstrap/supervisor/standby/start-failures.ts";

const refusal =
  "INFO  Setup - hello!\nERROR fr.acinq.eclair.Boot$ - fatal error: requirement failed: channel.mindepth-blocks has been replaced\n  at java.base/x\n";
const reason =
  "fr.acinq.eclair.Boot$ - fatal error: requirement failed: channel.mindepth-blocks has been replaced";

const ending = (facts: { failsToArm?: boolean; failsAfterConnection?: boolean }, log: string): Slot =>
  ({ failsToArm: false, failsAfterConnection: false, ...facts, readLog: async () => log }) as unknown as Slot;
const failsToArm = (log: string) => ending({ failsToArm: true }, log);
const failsAfterConnection = (log: string) => ending({ failsAfterConnection: true }, log);

test("reports repeated failures with Eclair's own reason, until an Eclair is armed", async () => {
  const failures = new StartFailures();
  await failures.noteEnding(failsToArm(refusal), false);
  expect(failures.armingProblem).toBeUndefined();
  await failures.noteEnding(failsToArm(refusal), false);
  expect(failures.armingProblem).toBe(`Eclair cannot be armed: 2 starts failed: ${reason}`);
  expect(failures.startProblem).toBeUndefined();
  failures.noteProgress("standby", true);
  expect(failures.armingProblem).toBeUndefined();
});

test.each(["active", "standby"] as const)(
  "reports connected Eclairs that ended before they answered, until the host is %s",
  async (role) => {
    const failures = new StartFailures();
    await failures.noteEnding(failsAfterConnection(refusal), false);
    failures.noteProgress("waiting", true);
    await failures.noteEnding(failsAfterConnection(refusal), false);
    expect(failures.startProblem).toBe(`Eclair ends before it answers: 2 starts failed: ${reason}`);
    failures.noteProgress(role, false);
    expect(failures.startProblem).toBeUndefined();
  },
);

test("ignores an Eclair that was killed, has answered, or ends because its host wants it to", async () => {
  const failures = new StartFailures();
  for (let count = 0; count < 2; count += 1) {
    await failures.noteEnding(ending({}, refusal), false);
    await failures.noteEnding(failsAfterConnection(refusal), true);
  }
  expect([failures.armingProblem, failures.startProblem]).toEqual([undefined, undefined]);
});

test("names the log when Eclair gave no reason", async () => {
  const failures = new StartFailures();
  await failures.noteEnding(failsToArm(""), false);
  await failures.noteEnding(failsToArm("INFO  hello"), false);
  expect(failures.armingProblem).toMatch(/2 starts failed: see `journalctl/);
});
