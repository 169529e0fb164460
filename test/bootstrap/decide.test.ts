import { expect, test } from "vitest";
import { decide, type Circumstances } from "../../bootstrap/supervise/decide.ts";
import type { Observation } from "../../bootstrap/supervise/observation.ts";

const me = "me";
const other = "other";
const about: Circumstances = { chain: "regtest", backOff: 0 };
const info = { instanceId: me, nodeId: "02aa", blockHeight: 100 };

const calm: Observation = {
  bitcoind: { seen: true, chain: "regtest", blocks: 100, headers: 100, synced: true, wallet: true },
  lease: { seen: true, remaining: 0 },
  eclair: { unit: "stopped", process: 0 },
};
const running = { unit: "running", process: 1, info } as const;
const held = (holder: string) => ({ seen: true, holder, remaining: 9 }) as const;

test.each<[string, Partial<Observation>, Partial<Circumstances>, object]>([
  ["a free lease: Eclair is started", {}, {}, { role: "starting", action: "start" }],
  [
    "an expired lease: Eclair is started",
    { lease: { ...held(other), remaining: -1 } },
    {},
    { action: "start" },
  ],
  ["a held lease is waited for", { lease: held(other) }, {}, { role: "standby", action: "none" }],
  [
    "a database that the record no longer names: Eclair is killed",
    { lease: held(me), eclair: running },
    { superseded: "the record names another" },
    { role: "unsafe", action: "kill", reasons: ["the record names another"] },
  ],
  [
    "its own lease",
    { lease: held(me), eclair: running },
    {},
    { role: "active", action: "none", reasons: [] },
  ],
  [
    "another's lease while it runs",
    { lease: held(other), eclair: running },
    {},
    { role: "unsafe", action: "none" },
  ],
  [
    "another node that runs",
    { lease: held(me), eclair: running },
    { wrongNode: "03" },
    { role: "unsafe", action: "kill" },
  ],
  [
    "another node that was killed is not started again",
    {},
    { wrongNode: "03" },
    { role: "unsafe", action: "none" },
  ],
  [
    "an API that is not there yet",
    { lease: held(me), eclair: { unit: "running", process: 1 } },
    {},
    { role: "starting", action: "none" },
  ],
  [
    "a lease that can't be read while it runs",
    { lease: { seen: false, why: "gone" }, eclair: running },
    {},
    { role: "active", reasons: ["gone"] },
  ],
  [
    "a lease that can't be read",
    { lease: { seen: false, why: "gone" } },
    {},
    { role: "waiting", action: "none", reasons: ["gone"] },
  ],
  [
    "bitcoind that does not answer",
    { bitcoind: { seen: false, why: "down" } },
    {},
    { role: "waiting", action: "none" },
  ],
  [
    "a sync that goes on",
    { bitcoind: { ...calm.bitcoind, synced: false, blocks: 5 } as Observation["bitcoind"] },
    {},
    { role: "waiting", reasons: ["bitcoind is syncing: block 5 of 100"] },
  ],
  [
    "another chain",
    { bitcoind: { ...calm.bitcoind, chain: "main" } as Observation["bitcoind"] },
    {},
    { role: "waiting", action: "none" },
  ],
  [
    "mainnet, as bitcoind calls it",
    { bitcoind: { ...calm.bitcoind, chain: "main" } as Observation["bitcoind"] },
    { chain: "mainnet" },
    { action: "start" },
  ],
  [
    "no wallet",
    { bitcoind: { ...calm.bitcoind, wallet: "none" } as Observation["bitcoind"] },
    {},
    { role: "waiting", reasons: ["none"] },
  ],
  [
    "Eclair on its way out",
    { eclair: { unit: "stopping", process: 1 } },
    {},
    { role: "waiting", action: "none" },
  ],
  [
    "Eclair that ended",
    {},
    { backOff: 3.2 },
    { role: "waiting", action: "none", reasons: ["Eclair ended; it is started again in 4 s"] },
  ],
])("%s", (_what, seen, circumstances, decision) => {
  expect(decide({ ...calm, ...seen }, { ...about, ...circumstances })).toMatchObject(decision);
});
