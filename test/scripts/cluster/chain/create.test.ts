import { EC2Client } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import type { ClusterTable } from "../../../../bootstrap/contract/record/table.ts";
import type { ChainSnapshotRequest } from "../../../../bootstrap/contract/requests/chain-snapshot.ts";
import { createChainSnapshot } from "../../../../scripts/cluster/chain/create.ts";
import type { NodeStatus } from "../../../../scripts/cluster/status.ts";
import type { Target } from "../../../../scripts/target/target.ts";
import { chainFacts } from "../../../support/chain-facts.ts";

type State = { request: ChainSnapshotRequest | undefined };

/**
 * A standby that stops its bitcoind at the first read.
 * @param reads what each read of the table returns or throws, before the standby stops
 */
function setUp({
  reads = [],
  createError,
  beforeAdvance = () => undefined,
}: {
  readonly reads?: Error[];
  readonly createError?: Error;
  readonly beforeAdvance?: (state: State, after: ChainSnapshotRequest) => void;
} = {}) {
  const state: State = { request: undefined };
  const chainSnapshots = {
    put: (request: ChainSnapshotRequest) => {
      state.request = request;
      return Promise.resolve(true);
    },
    read: () => {
      const error = reads.shift();
      if (error !== undefined) return Promise.reject(error);
      if (state.request?.step === "requested")
        state.request = { ...state.request, step: "stopped", facts: chainFacts };
      else if (state.request?.step === "created") state.request = { ...state.request, step: "resumed" };
      return Promise.resolve(state.request);
    },
    advance: (before: ChainSnapshotRequest, after: ChainSnapshotRequest) => {
      beforeAdvance(state, after);
      if (state.request?.step !== before.step) return Promise.resolve(false);
      state.request = after;
      return Promise.resolve(true);
    },
  };
  const client = new EC2Client({ region: "eu-west-1" });
  client.send = async (command: object) => {
    if (command.constructor.name === "DescribeVolumesCommand") return { Volumes: [{ VolumeId: "vol-1" }] };
    if (createError !== undefined) throw createError;
    return await Promise.resolve({ SnapshotId: "snap-1" });
  };
  const target = { name: "lab", client: () => client } as unknown as Target;
  const create = (signal = new AbortController().signal) =>
    createChainSnapshot(
      target,
      { cluster: "demo", chainSnapshots } as unknown as ClusterTable,
      { instanceId: "i-standby" } as NodeStatus,
      { requestedBy: "operator", onStep: () => undefined, signal },
    );
  return { state, create };
}

test("a snapshot is created while the standby has stopped its bitcoind", async () => {
  const { state, create } = setUp();
  expect(await create()).toEqual({ snapshotId: "snap-1", facts: chainFacts });
  expect(state.request?.step).toBe("resumed");
});

test("an interruption of the network does not end the wait", async () => {
  const offline = Object.assign(new Error("getaddrinfo ENOTFOUND"), { name: "Error", code: "ENOTFOUND" });
  const { create } = setUp({ reads: [offline, offline] });
  expect(await create()).toMatchObject({ snapshotId: "snap-1" });
});

test("a command that ends before the snapshot exists lets the standby start its bitcoind", async () => {
  const denied = Object.assign(new Error("denied"), { name: "UnauthorizedOperation" });
  const refused = setUp({ createError: denied });
  await expect(refused.create()).rejects.toBe(denied);
  expect(refused.state.request).toMatchObject({
    step: "aborted",
    reason: "the command that creates the snapshot ended",
  });
  const interrupted = setUp();
  await expect(interrupted.create(AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  expect(interrupted.state.request?.step).toBe("aborted");
});

test("a request that changes between the read and the write is aborted as well", async () => {
  let changes = 0;
  const { state, create } = setUp({
    beforeAdvance: (table) => {
      changes += 1;
      if (changes === 1 && table.request !== undefined)
        table.request = { ...table.request, step: "requested" };
    },
  });
  await expect(create(AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  expect([changes, state.request?.step]).toEqual([2, "aborted"]);
});

test("a table that may not be read ends the command, and the request", async () => {
  const denied = Object.assign(new Error("denied"), { name: "AccessDeniedException" });
  const { state, create } = setUp({ reads: [denied] });
  await expect(create()).rejects.toBe(denied);
  expect(state.request?.step).toBe("aborted");
});

test("a snapshot whose request was written counts although the answer to the write was lost", async () => {
  const { create } = setUp({
    beforeAdvance: (table, request) => {
      if (request.step === "created") table.request = request;
    },
  });
  expect(await create()).toMatchObject({ snapshotId: "snap-1" });
});

test("a snapshot whose request cannot be written is named, because it may be incomplete", async () => {
  const { create } = setUp({
    beforeAdvance: (_table, { step }) => {
      if (step === "created") throw new Error("no connection");
    },
  });
  await expect(create()).rejects.toMatchObject({
    code: "chain.aborted",
    mayHaveChanged: expect.stringContaining("snap-1"),
  });
});
