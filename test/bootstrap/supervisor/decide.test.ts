import { expect, test } from "vitest";
import { decide, type DecisionContext, type Observation } from "../../../bootstrap/supervisor/decide.ts";

const own = "own";
const other = "other";
const defaultContext: DecisionContext = {
  chain: "regtest",
  sawLeaseHeld: false,
  backoffSeconds: 0,
  armAtRemainingSeconds: Infinity,
  chainProblems: [],
  standbyProblems: [],
  silentSeconds: 0,
  silentLimitSeconds: 600,
};
const info = { eclairInstanceId: own, nodeId: "02aa", blockHeight: 100 };

const normal: Observation = {
  bitcoind: {
    known: true,
    chain: "regtest",
    blocks: 100,
    headers: 100,
    synced: true,
    wallet: { ready: true },
  },
  lease: { known: true, remainingSeconds: 0 },
  eclair: { state: "stopped", pid: 0, armed: "yes" },
};
const bitcoind = (changes: object): Observation["bitcoind"] => ({ ...normal.bitcoind, ...changes });
const armed = (state: "no" | "starting" | "yes") => ({ ...normal.eclair, armed: state });
const running = { state: "running", pid: 1, eclairInstanceId: own, info, armed: "no" } as const;
const { info: _info, ...silent } = running;
const held = (holderEclairInstanceId: string) =>
  ({ known: true, holderEclairInstanceId, remainingSeconds: 9 }) as const;
const expired = (holderEclairInstanceId: string) =>
  ({ known: true, holderEclairInstanceId, remainingSeconds: -1 }) as const;
const unreadable = { known: false, reason: "no answer" } as const;

type Row = [string, Partial<Observation>, Partial<DecisionContext>, object];

test.each<Row>([
  [
    "is active and reports a bitcoind that does not answer",
    { lease: held(own), eclair: running, bitcoind: { known: false, reason: "bitcoind does not answer" } },
    {},
    { role: "active", action: "none", ready: true, reasons: ["bitcoind does not answer"] },
  ],
  [
    "is active and reports a chain that is not current",
    { lease: held(own), eclair: running },
    { chainProblems: ["the last block is old"] },
    { role: "active", ready: true, reasons: ["the last block is old"] },
  ],
  [
    "is a standby that is not ready while its chain is not current",
    { lease: held(other) },
    { chainProblems: ["the last block is old"] },
    { role: "standby", ready: false, reasons: ["another Eclair holds the lease", "the last block is old"] },
  ],
  [
    "is a standby that is not ready while no Eclair can be armed",
    { lease: held(other), eclair: armed("no") },
    { standbyProblems: ["Eclair cannot be armed"] },
    {
      role: "standby",
      action: "arm",
      ready: false,
      reasons: expect.arrayContaining(["Eclair cannot be armed"]),
    },
  ],
  [
    "names the error of Eclairs that ended before they answered",
    { eclair: armed("no") },
    { backoffSeconds: 2, startProblem: "Eclair ends before it answers: 2 starts failed" },
    {
      role: "waiting",
      reasons: [
        "Eclair ended; it may take the lease again in 2 s",
        "Eclair ends before it answers: 2 starts failed",
      ],
    },
  ],
  ["is a ready standby otherwise", { lease: held(other) }, {}, { role: "standby", ready: true }],
  [
    "kills an Eclair that renews the lease and never answers",
    { lease: held(own), eclair: silent },
    { silentSeconds: 601 },
    { role: "unsafe", action: "kill", ready: false, reasons: ["Eclair has not answered for 601 s"] },
  ],
  [
    "waits for an Eclair that migrates a database",
    { lease: held(own), eclair: silent },
    { silentSeconds: 601, silentLimitSeconds: 21_600 },
    { role: "starting", action: "none", ready: false },
  ],
  ["opens the gate when the lease is free", {}, {}, { role: "starting", action: "open" }],
  ["opens the gate when the lease has expired", { lease: expired(other) }, {}, { action: "open" }],
  [
    "arms an Eclair when the lease is free and no Eclair is armed",
    { eclair: armed("no") },
    {},
    { role: "starting", action: "arm" },
  ],
  [
    "waits for an Eclair that is being armed when the lease is free",
    { eclair: armed("starting") },
    {},
    { role: "starting", action: "none" },
  ],
  [
    "is a standby with an armed Eclair while another Eclair holds the lease",
    { lease: held(other) },
    {},
    { role: "standby", action: "none" },
  ],
  [
    "arms an Eclair while another Eclair holds the lease and no Eclair is armed",
    { lease: held(other), eclair: armed("no") },
    {},
    { role: "standby", action: "arm" },
  ],
  [
    "arms no Eclair early while another Eclair holds the lease and Eclair is armed only before the lease expires",
    { lease: held(other), eclair: armed("no") },
    { armAtRemainingSeconds: 4 },
    { role: "standby", action: "none" },
  ],
  [
    "arms an Eclair shortly before the lease of another Eclair expires",
    { lease: { ...held(other), remainingSeconds: 3.9 }, eclair: armed("no") },
    { armAtRemainingSeconds: 4 },
    { role: "standby", action: "arm" },
  ],
  [
    "waits while the lease cannot be read",
    { lease: unreadable },
    {},
    { role: "waiting", action: "none", reasons: ["no answer"] },
  ],
  [
    "waits while bitcoind does not answer",
    { bitcoind: { known: false, reason: "connection refused" } },
    {},
    { role: "waiting", action: "none" },
  ],
  [
    "waits while bitcoind is syncing",
    { bitcoind: bitcoind({ synced: false, blocks: 5 }) },
    {},
    { role: "waiting", action: "none", reasons: ["bitcoind is syncing: block 5 of 100"] },
  ],
  [
    "waits when bitcoind is on another chain",
    { bitcoind: bitcoind({ chain: "main" }) },
    {},
    { role: "waiting", action: "none" },
  ],
  [
    "accepts bitcoind's own name of mainnet",
    { bitcoind: bitcoind({ chain: "main" }) },
    { chain: "mainnet" },
    { action: "open" },
  ],
  [
    "waits while the wallet is not ready",
    { bitcoind: bitcoind({ wallet: { ready: false, reason: "no wallet" } }) },
    {},
    { role: "waiting", reasons: ["no wallet"] },
  ],
  [
    "waits when the guard refuses, although the lease is free",
    {},
    { startRefusal: "record.unreachable: timeout" },
    { role: "waiting", action: "none", reasons: ["record.unreachable: timeout"] },
  ],
  [
    "leaves a free lease to the target of a switchover",
    {},
    { holdBackReason: "a switchover is in progress" },
    { role: "standby", action: "none", reasons: ["a switchover is in progress"] },
  ],
  [
    "arms the next Eclair after Eclair ended, and waits with it",
    { eclair: armed("no") },
    { backoffSeconds: 3.2 },
    { role: "waiting", action: "arm", reasons: ["Eclair ended; it may take the lease again in 4 s"] },
  ],
  [
    "never starts Eclair again after Eclair started as another node",
    { eclair: armed("no") },
    { unexpectedKeys: "03" },
    { role: "unsafe", action: "none" },
  ],
])("with no Eclair connected to the database, the host %s", (_title, observed, context, decision) => {
  expect(decide({ ...normal, ...observed }, { ...defaultContext, ...context })).toMatchObject(decision);
});

const active = { lease: held(own), eclair: running };

test.each<Row>([
  ["is active while Eclair holds the lease", {}, {}, { role: "active", action: "none", reasons: [] }],
  [
    "is starting while Eclair's API does not answer",
    { eclair: silent },
    {},
    { role: "starting", action: "none" },
  ],
  [
    "is starting while Eclair has not taken the free lease",
    { lease: expired(other), eclair: silent },
    { sawLeaseHeld: false },
    { role: "starting", action: "none" },
  ],
  [
    "kills Eclair when another Eclair took the free lease first",
    { lease: held(other), eclair: silent },
    { sawLeaseHeld: false },
    { role: "unsafe", action: "kill" },
  ],
  [
    "kills Eclair when another Eclair has taken its lease",
    { lease: held(other) },
    {},
    { role: "unsafe", action: "kill" },
  ],
  [
    "kills Eclair when another Eclair has taken its lease and released it",
    { lease: expired(other) },
    {},
    { role: "unsafe", action: "kill" },
  ],
  [
    "kills a stopping Eclair when another Eclair has taken its lease and released it",
    { lease: expired(other), eclair: { ...running, state: "stopping" } },
    {},
    { role: "stopping", action: "kill" },
  ],
  [
    "is no longer active when the lease of Eclair has expired",
    { lease: expired(own) },
    {},
    { role: "starting", action: "none" },
  ],
  [
    "stays active while the lease cannot be read, after Eclair was seen with the lease",
    { lease: unreadable },
    {},
    { role: "active", action: "none", reasons: ["no answer"] },
  ],
  [
    "is not active while the lease cannot be read and Eclair was never seen with the lease",
    { lease: unreadable },
    { sawLeaseHeld: false },
    { role: "starting", action: "none" },
  ],
  [
    "is stopping while Eclair stops",
    { eclair: { ...running, state: "stopping" } },
    {},
    { role: "stopping", action: "none" },
  ],
  [
    "kills an Eclair that started as another node",
    {},
    { unexpectedKeys: "03" },
    { role: "unsafe", action: "kill" },
  ],
  [
    "kills Eclair when the cluster record names another database",
    {},
    { superseded: "the cluster record names another database" },
    { role: "unsafe", action: "kill", reasons: ["the cluster record names another database"] },
  ],
  [
    "stays active when the guard refuses the next start",
    {},
    { startRefusal: "record.unreachable: timeout" },
    { role: "active" },
  ],
])("with an Eclair connected to the database, the host %s", (_title, observed, context, decision) => {
  expect(
    decide({ ...normal, ...active, ...observed }, { ...defaultContext, sawLeaseHeld: true, ...context }),
  ).toMatchObject(decision);
});
