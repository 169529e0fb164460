import { expect, test } from "vitest";
import { messageOf } from "../../../bootstrap/contract/errors.ts";

/** An error of `fetch` as Bun throws it. */
const bunError = (message: string, code: string, path?: string) =>
  Object.assign(new TypeError(message), { code, errno: 0, ...(path !== undefined && { path }) });

const unable = "Unable to connect. Is the computer able to access the url?";

test.each([
  ["ECONNREFUSED", `ECONNREFUSED: ${unable}`],
  ["ConnectionRefused", unable],
])("a refused connection (%s) is reported with its host, without the rest of the URL", (code, message) => {
  expect(messageOf(bunError(message, code, "http://10.0.0.1:8332/wallet/x?key=secret"))).toBe(
    "connection refused: 10.0.0.1:8332",
  );
});

test("a failed connection is reported with its host", () => {
  const typo = "Was there a typo in the url or port?";
  expect(messageOf(bunError(typo, "FailedToOpenSocket", "https://api.invalid/x"))).toBe(
    "cannot connect to api.invalid",
  );
  expect(messageOf(bunError(`ENOENT: ${typo}`, "ENOENT"))).toBe("cannot connect to the server");
});

test("a closed connection is reported without advice for programmers", () => {
  const message =
    "ECONNRESET: The socket connection was closed unexpectedly. For more information, pass `verbose: true` in the second argument to fetch()";
  expect(messageOf(bunError(message, "ECONNRESET", "http://127.0.0.1:8080/getinfo"))).toBe(
    "the connection to 127.0.0.1:8080 was closed",
  );
});

test("the text around a network error remains", () => {
  expect(messageOf(new Error(`exit code 1\nerror: ${unable}`))).toBe(
    "exit code 1\nerror: cannot connect to the server",
  );
});

test("other messages are unchanged", () => {
  expect(messageOf(new Error("connect ECONNREFUSED 127.0.0.1:9"))).toBe("connect ECONNREFUSED 127.0.0.1:9");
  expect(messageOf(new TypeError(""))).toBe("TypeError");
  expect(messageOf("text")).toBe("text");
});
