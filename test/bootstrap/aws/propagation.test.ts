import { expect, test } from "vitest";
import { isDenial, retryWhilePropagating } from "../../../bootstrap/aws/propagation.ts";
import type { ErrorCode } from "../../../bootstrap/contract/error-codes.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";

const failure = (code: ErrorCode) =>
  new EclairAmiError({ code, operation: "booting", message: "denied", remedy: "permit it" });

test.each<ErrorCode>(["secret.denied", "record.denied", "target-group.denied", "volume.attach-failed"])(
  "%s is retried while the instance is young",
  (code) => {
    const retried = retryWhilePropagating(failure(code), 299);
    expect(retried).toMatchObject({ code, message: "denied", retryable: true });
    expect((retried as EclairAmiError).remedy).toMatch(/^permit it\. .*tries again/);
  },
);

test.each<[ErrorCode, number]>([
  ["secret.denied", 300],
  ["secret.not-found", 10],
  ["database.rewound", 10],
])("%s is final after %i s", (code, age) => {
  const thrown = failure(code);
  expect(retryWhilePropagating(thrown, age)).toBe(thrown);
});

test("an error that is retryable anyway keeps its remedy", () => {
  const thrown = failure("record.denied").asRetryable("wait");
  expect(retryWhilePropagating(thrown, 10)).toBe(thrown);
});

test.each<[ErrorCode, boolean]>([
  ["secret.denied", true],
  ["record.denied", true],
  ["database.login-refused", false],
])("whether %s is a denial of AWS: %s", (code, expected) => {
  expect(isDenial(failure(code))).toBe(expected);
});
