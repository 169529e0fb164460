import { describe, expect, test } from "vitest";
import { allRules, explore, worstWorld, type Rules, type World } from "./lease.ts";

const without = (...names: (keyof Rules)[]): Rules => ({
  ...allRules,
  ...Object.fromEntries(names.map((name) => [name, false])),
});
/** Only Eclair itself can be held, and clocks are sound: what the watchdog alone is for. */
const mild: World = { held: false, clock: false };

describe("two hosts share a node", { timeout: 120_000 }, () => {
  test("no interleaving lets two holders write, and no takeover waits for ever", () => {
    const explored = explore(allRules, worstWorld);
    expect(explored).toEqual({ states: expect.any(Number) });
    expect(explored.states).toBeGreaterThan(1_000);
  });

  test.each<[string, Rules, World]>([
    ["the fence's epochs", without("epochs"), worstWorld],
    ["the fence before Eclair's tables, which Eclair writes unchecked", without("tables"), worstWorld],
    ["the check in Eclair's transactions", without("check"), worstWorld],
    ["the watchdog, where there is no fence to back it up", without("watchdog", "epochs", "tables"), mild],
    [
      "that a supervisor releases its own dead Eclair's lease alone, where there is no fence",
      without("ownRelease", "epochs", "tables"),
      mild,
    ],
  ])("without %s there are two writers", (_what, rules, world) => {
    expect(explore(rules, world).overlap).toBeDefined();
  });

  test.each<[string, Rules]>([
    ["the fence, as long as the watchdog is awake and clocks are sound", without("epochs", "tables")],
  ])("the watchdog backs up %s", (_what, rules) => {
    expect(explore(rules, mild).overlap).toBeUndefined();
  });

  test.each<[string, Rules]>([
    ["the watchdog", without("watchdog")],
    ["whose lease is released", without("ownRelease")],
    ["the end of sessions", without("sessions")],
    ["the server's limit on silent transactions", without("idle")],
    ["all of these", without("watchdog", "ownRelease", "sessions", "idle")],
  ])("the fence alone backs up %s", (_what, rules) => {
    expect(explore(rules, worstWorld).overlap).toBeUndefined();
  });

  test("a frozen transaction holds a takeover up only where neither sessions nor silent transactions are ended", () => {
    expect(explore(without("sessions"), worstWorld).stuck).toBeUndefined();
    expect(explore(without("idle"), worstWorld).stuck).toBeUndefined();
    expect(explore(without("sessions", "idle"), worstWorld).stuck).toBeDefined();
  });
});
