import { expect, test } from "vitest";
import { bootstrapEvents } from "../../../scripts/cluster/console.ts";

test("the log lines of the bootstrap are found among other lines, and an incomplete line is left out", () => {
  const text = [
    "[  OK  ] Started something.",
    'login: [ 12.3] eclair-bootstrap[84]: {"level":"info","event":"boot.phase","phase":"load","durationMs":12}',
    '{"other":1}',
    '[ 12.4] eclair-bootstrap[84]: {"level":"error","event":"boot.phase","phase":"verify","error":{"code":"database.certificate-invalid","message":"m"}}\r',
    '[ 12.5] eclair-bootstrap[84]: {"level":"info","event":"boot.ph',
  ].join("\n");
  expect(bootstrapEvents(text)).toEqual([
    { level: "info", event: "boot.phase", phase: "load", durationMs: 12 },
    {
      level: "error",
      event: "boot.phase",
      phase: "verify",
      error: { code: "database.certificate-invalid", message: "m" },
    },
  ]);
});
