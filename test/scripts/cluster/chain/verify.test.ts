import { expect, test } from "vitest";
import { failedPhase } from "../../../../scripts/cluster/chain/verify.ts";

const phase = (code: string, retryable: boolean) =>
  JSON.stringify({
    level: "error",
    event: "boot.phase",
    phase: "chain-volume",
    error: { code, operation: "mounting the chain volume", message: "…", remedy: "…", retryable },
  });

test("a verification ends with the first error that the boot does not repeat", () => {
  expect(failedPhase(phase("volume.not-found", true))).toBeUndefined();
  const output = [phase("volume.not-found", true), "[  OK  ] Started", phase("volume.broken", false)];
  expect(failedPhase(output.join("\r\n"))).toMatchObject({ code: "volume.broken" });
});
