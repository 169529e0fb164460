import { expect, test } from "vitest";
import { ArmingFailures } from "../../../../bootstrap/supervisor/standby/arming-failures.ts";

test("reports repeated failures with Eclair's own reason, until an Eclair is armed", () => {
  const failures = new ArmingFailures();
  const log =
    "INFO  Setup - hello!\nERROR fr.acinq.eclair.Boot$ - fatal error: requirement failed: channel.mindepth-blocks has been replaced\n  at java.base/x\n";
  failures.note(log);
  expect(failures.problem).toBeUndefined();
  failures.note(log);
  expect(failures.problem).toBe(
    "Eclair cannot be armed: 2 starts failed: fr.acinq.eclair.Boot$ - fatal error: requirement failed: channel.mindepth-blocks has been replaced",
  );
  failures.noteArmed();
  expect(failures.problem).toBeUndefined();
});

test("names the log when Eclair gave no reason", () => {
  const failures = new ArmingFailures();
  failures.note("");
  failures.note("INFO  hello");
  expect(failures.problem).toMatch(/2 starts failed: see `journalctl/);
});
