import { describe, expect, test } from "vitest";
import { allRules, explore, worstWorld, type Rules, type World } from "./lease.ts";

const without = (...names: (keyof Rules)[]): Rules => ({
  ...allRules,
  ...Object.fromEntries(names.map((name) => [name, false])),
});
const fence = ["epochs", "tables", "endsSessions"] as const;
/** Only Eclair can freeze, and the clocks are correct: the faults that the watchdog handles without the fence. */
const mildWorld: World = { freezes: false, clockSteps: false, twoLogins: true };

describe("two hosts that run one node", { timeout: 120_000 }, () => {
  test("no interleaving lets two holders write or blocks a takeover forever", () => {
    const explored = explore(allRules, worstWorld);
    expect(explored).toEqual({ states: expect.any(Number) });
    expect(explored.states).toBeGreaterThan(1_000);
  });

  test.each<[string, Rules, World]>([
    ["the epochs of the fence", without("epochs"), worstWorld],
    ["the protection of the tables that Eclair writes without a check", without("tables"), worstWorld],
    ["the end of other sessions at a change of holder", without("endsSessions"), worstWorld],
    ["a fence that knows every login, while a login is rotated", without("allLogins"), worstWorld],
    ["Eclair's own check in its transactions", without("check"), worstWorld],
    ["the watchdog and the fence", without("watchdog", ...fence), mildWorld],
    [
      "the rule that a supervisor releases only the lease of its own dead Eclair, and the fence",
      without("ownRelease", ...fence),
      mildWorld,
    ],
  ])("without %s, two holders write", (_, rules, world) => {
    expect(explore(rules, world).overlap).toBeDefined();
  });

  test.each<[string, Rules]>([
    ["the fence while supervisors run and the clocks are correct", without(...fence)],
  ])("the watchdog backs up %s", (_, rules) => {
    expect(explore(rules, mildWorld).overlap).toBeUndefined();
  });

  test.each<[string, Rules]>([
    ["the watchdog", without("watchdog")],
    ["the rule that a supervisor releases only the lease of its own dead Eclair", without("ownRelease")],
    ["the termination of sessions", without("sessions")],
    ["the server's limit for idle transactions", without("idle")],
    ["all of these", without("watchdog", "ownRelease", "sessions", "idle")],
  ])("the fence alone backs up %s", (_, rules) => {
    expect(explore(rules, worstWorld).overlap).toBeUndefined();
  });

  test("a frozen transaction blocks a takeover only without the termination of sessions and without the limit for idle transactions", () => {
    expect(explore(without("sessions"), worstWorld).blocked).toBeUndefined();
    expect(explore(without("idle"), worstWorld).blocked).toBeUndefined();
    expect(explore(without("sessions", "idle"), worstWorld).blocked).toBeDefined();
  });
});
