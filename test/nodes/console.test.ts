import { expect, test } from "vitest";
import { stepsIn } from "../../scripts/nodes/console.ts";

test("the bootstrap's lines are found among others, a line that is not whole yet is left out", () => {
  const text = [
    "[  OK  ] Started something.",
    'login: [ 12.3] eclair-bootstrap[84]: {"eclairAmi":"load","ms":12}',
    '{"other":1}',
    '[ 12.4] eclair-bootstrap[84]: {"eclairAmi":"verify","ms":3,"failed":{"code":"database.tls"}}\r',
    '[ 12.5] eclair-bootstrap[84]: {"eclairAmi":"rend',
  ].join("\n");
  expect(stepsIn(text)).toEqual([
    { name: "load", facts: { ms: 12 } },
    { name: "verify", facts: { ms: 3, failed: { code: "database.tls" } } },
  ]);
});
