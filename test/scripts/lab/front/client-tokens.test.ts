import { expect, test } from "vitest";
import { home } from "../../../../scripts/lab/addresses.ts";
import { ClientTokens } from "../../../../scripts/lab/front/client-tokens.ts";

const call = (parameters: Record<string, string>) => ({
  action: "RunInstances",
  form: new URLSearchParams(parameters),
  scope: home,
});
/** A call that launches a further instance each time. */
function launcher(...statuses: number[]) {
  let launched = 0;
  return async () => {
    launched += 1;
    return { status: statuses[launched - 1] ?? 200, body: `i-${launched}` };
  };
}

test("a call that is repeated with its token has the response of the first call", async () => {
  const tokens = new ClientTokens();
  const launch = launcher();
  const first = call({ ClientToken: "t", ImageId: "ami-1" });
  expect(await tokens.once(first, launch)).toEqual({ status: 200, body: "i-1" });
  expect(await tokens.once(first, launch)).toEqual({ status: 200, body: "i-1" });
  expect(await tokens.once(call({ ClientToken: "u", ImageId: "ami-1" }), launch)).toMatchObject({
    body: "i-2",
  });
});

test("a call that is repeated before its response has the same response", async () => {
  const tokens = new ClientTokens();
  const launch = launcher();
  const first = call({ ClientToken: "t" });
  const responses = await Promise.all([tokens.once(first, launch), tokens.once(first, launch)]);
  expect(responses.map(({ body }) => body)).toEqual(["i-1", "i-1"]);
});

test("a token with other parameters is refused", async () => {
  const tokens = new ClientTokens();
  const launch = launcher();
  await tokens.once(call({ ClientToken: "t", ImageId: "ami-1" }), launch);
  const refused = await tokens.once(call({ ClientToken: "t", ImageId: "ami-2" }), launch);
  expect(refused.status).toBe(400);
  expect(refused.body).toContain("IdempotentParameterMismatch");
});

test("a call that failed can be repeated", async () => {
  const tokens = new ClientTokens();
  const launch = launcher(400);
  const first = call({ ClientToken: "t" });
  expect(await tokens.once(first, launch)).toMatchObject({ status: 400 });
  expect(await tokens.once(first, launch)).toMatchObject({ status: 200 });
  const failing = call({ ClientToken: "u" });
  await expect(tokens.once(failing, () => Promise.reject(new Error("lost")))).rejects.toThrow("lost");
  expect(await tokens.once(failing, launch)).toMatchObject({ body: "i-3" });
});

test("calls without a token are independent", async () => {
  const tokens = new ClientTokens();
  const launch = launcher();
  await tokens.once(call({}), launch);
  expect(await tokens.once(call({}), launch)).toMatchObject({ body: "i-2" });
});
