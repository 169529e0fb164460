import { expect, test, vi } from "vitest";
import { AnswerProbe } from "../../../bootstrap/door/answer-probe.ts";
import { addresses, TestHosts, toThisHost } from "./harness.ts";

const { eclairA } = addresses;
const testHosts = new TestHosts();

/** The probe of a door whose Eclair runs on this host, after its first check. */
async function probed(door: { listenProblem?: string; unreachableMilliseconds?: number }) {
  const noteReachable = vi.fn<() => void>();
  const { route } = toThisHost("A", eclairA);
  const reached = { listenProblem: undefined, unreachableMilliseconds: 0, noteReachable, ...door };
  const check = vi.fn<() => typeof route>(() => route);
  const probe = new AnswerProbe(check, reached, testHosts.ports.outer);
  const stop = new AbortController();
  const running = probe.run(stop.signal);
  await vi.waitUntil(() => check.mock.calls.length > 1, { timeout: 5_000 });
  stop.abort();
  await running;
  return { answers: probe.answeredSecondsAgo !== undefined, problem: probe.problem, noteReachable };
}

test("an Eclair that answers its API counts, without a connection to it", async () => {
  expect(await probed({})).toMatchObject({ answers: true, problem: undefined });
});

test("a door that cannot listen does not lead to Eclair", async () => {
  const listenProblem = "the door cannot accept connections: listen EADDRINUSE";
  expect(await probed({ listenProblem })).toMatchObject({ answers: false, problem: listenProblem });
});

test("an Eclair that accepts no connection for three seconds does not serve", async () => {
  expect(await probed({ unreachableMilliseconds: 2_900 })).toMatchObject({ answers: true });
  const problem = `Eclair does not accept connections on port ${testHosts.ports.outer}`;
  expect(await probed({ unreachableMilliseconds: 3_000 })).toMatchObject({ answers: false, problem });
});

test("an Eclair that accepts connections again serves", async () => {
  await testHosts.eclair(eclairA, "A");
  const { answers, noteReachable } = await probed({ unreachableMilliseconds: 3_000 });
  expect(answers).toBe(true);
  expect(noteReachable).toHaveBeenCalled();
});
