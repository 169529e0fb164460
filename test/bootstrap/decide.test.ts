import { expect, test } from "vitest";
import { decide, type Circumstances } from "../../bootstrap/supervise/decide.ts";
import type { Observation } from "../../bootstrap/supervise/observation.ts";

const me = "me";
const other = "other";
const about: Circumstances = { chain: "regtest", held: false, backOff: 0, armAt: Infinity };
const info = { instanceId: me, nodeId: "02aa", blockHeight: 100 };

const calm: Observation = {
  bitcoind: { seen: true, chain: "regtest", blocks: 100, headers: 100, synced: true, wallet: true },
  lease: { seen: true, remaining: 0 },
  eclair: { unit: "stopped", process: 0, armed: "yes" },
};
const bitcoind = (changes: object) => ({ ...calm.bitcoind, ...changes }) as Observation["bitcoind"];
const armed = (state: "no" | "starting" | "yes") => ({ ...calm.eclair, armed: state });
const running = { unit: "running", process: 1, instanceId: me, info, armed: "no" } as const;
const { info: _none, ...silent } = running;
const held = (holder: string) => ({ seen: true, holder, remaining: 9 }) as const;
const expired = (holder: string) => ({ seen: true, holder, remaining: -1 }) as const;
const unseen = { seen: false, why: "gone" } as const;

type Row = [string, Partial<Observation>, Partial<Circumstances>, object];

test.each<Row>([
  ["a free lease: the armed one goes on", {}, {}, { role: "starting", action: "open" }],
  ["an expired lease: the armed one goes on", { lease: expired(other) }, {}, { action: "open" }],
  ["a free lease and none armed", { eclair: armed("no") }, {}, { role: "starting", action: "arm" }],
  [
    "a free lease and one being armed",
    { eclair: armed("starting") },
    {},
    { role: "starting", action: "none" },
  ],
  ["a held lease is waited for, armed", { lease: held(other) }, {}, { role: "standby", action: "none" }],
  [
    "a held lease and none armed",
    { lease: held(other), eclair: armed("no") },
    {},
    { role: "standby", action: "arm" },
  ],
  [
    "a held lease, where Eclair is armed only ahead of its end",
    { lease: held(other), eclair: armed("no") },
    { armAt: 4 },
    { role: "standby", action: "none" },
  ],
  [
    "the same, and the end is near",
    { lease: { ...held(other), remaining: 3.9 }, eclair: armed("no") },
    { armAt: 4 },
    { role: "standby", action: "arm" },
  ],
  [
    "a lease that can't be read",
    { lease: unseen },
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
    { bitcoind: bitcoind({ synced: false, blocks: 5 }) },
    {},
    { role: "waiting", action: "none", reasons: ["bitcoind is syncing: block 5 of 100"] },
  ],
  ["another chain", { bitcoind: bitcoind({ chain: "main" }) }, {}, { role: "waiting", action: "none" }],
  [
    "mainnet, as bitcoind calls it",
    { bitcoind: bitcoind({ chain: "main" }) },
    { chain: "mainnet" },
    { action: "open" },
  ],
  ["no wallet", { bitcoind: bitcoind({ wallet: "none" }) }, {}, { role: "waiting", reasons: ["none"] }],
  [
    "a record or database that refuses, though the lease is free",
    {},
    { refusal: "record.unreachable: no" },
    { role: "waiting", action: "none", reasons: ["record.unreachable: no"] },
  ],
  [
    "a free lease that another one is to take",
    {},
    { holdBack: "a switchover goes on" },
    { role: "standby", action: "none", reasons: ["a switchover goes on"] },
  ],
  [
    "Eclair that ended: it is armed again, and waits",
    { eclair: armed("no") },
    { backOff: 3.2 },
    { role: "waiting", action: "arm", reasons: ["Eclair ended; it may take the lease again in 4 s"] },
  ],
  [
    "another node that was killed is not started again",
    { eclair: armed("no") },
    { wrongNode: "03" },
    { role: "unsafe", action: "none" },
  ],
])("none has a way to the database: %s", (_what, seen, circumstances, decision) => {
  expect(decide({ ...calm, ...seen }, { ...about, ...circumstances })).toMatchObject(decision);
});

const active = { lease: held(me), eclair: running };

test.each<Row>([
  ["it holds the lease", {}, {}, { role: "active", action: "none", reasons: [] }],
  ["its API is not there yet", { eclair: silent }, {}, { role: "starting", action: "none" }],
  [
    "it has not taken the free lease yet",
    { lease: expired(other), eclair: silent },
    { held: false },
    { role: "starting", action: "none" },
  ],
  [
    "another one was quicker",
    { lease: held(other), eclair: silent },
    { held: false },
    { role: "unsafe", action: "kill" },
  ],
  ["another one has taken its lease", { lease: held(other) }, {}, { role: "unsafe", action: "kill" }],
  [
    "another one has taken its lease and released it",
    { lease: expired(other) },
    {},
    { role: "unsafe", action: "kill" },
  ],
  [
    "the same, while it stops",
    { lease: expired(other), eclair: { ...running, unit: "stopping" } },
    {},
    { role: "stopping", action: "kill" },
  ],
  ["its lease has run out", { lease: expired(me) }, {}, { role: "starting", action: "none" }],
  [
    "the lease can't be read, and was its own",
    { lease: unseen },
    {},
    { role: "active", action: "none", reasons: ["gone"] },
  ],
  [
    "the lease can't be read, and never was",
    { lease: unseen },
    { held: false },
    { role: "starting", action: "none" },
  ],
  ["it stops", { eclair: { ...running, unit: "stopping" } }, {}, { role: "stopping", action: "none" }],
  ["it is another node", {}, { wrongNode: "03" }, { role: "unsafe", action: "kill" }],
  [
    "its database is one that the record no longer names",
    {},
    { superseded: "the record names another" },
    { role: "unsafe", action: "kill", reasons: ["the record names another"] },
  ],
  ["a guard's refusal is for the next start", {}, { refusal: "record.unreachable: no" }, { role: "active" }],
])("one has a way to the database: %s", (_what, seen, circumstances, decision) => {
  expect(decide({ ...calm, ...active, ...seen }, { ...about, held: true, ...circumstances })).toMatchObject(
    decision,
  );
});
