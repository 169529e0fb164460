import { EC2Client } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import type { ClusterTable } from "../../../../bootstrap/contract/record/table.ts";
import type { ChainSnapshotRequest } from "../../../../bootstrap/contract/requests/chain-snapshot.ts";
import { createChainSnapshot } from "../../../../scripts/cluster/chain/create.ts";
import type { NodeStatus } from "../../../../scripts/cluster/status.ts";
import type { Target } from "../../../../scripts/target/target.ts";
import { chainFacts } from "../../../support/chain-facts.ts";

/**
 * A standby that stops its bitcoind at the first read.
 * @param reads what each read of the table returns or throws, before the standby stops
 */
function setUp({ reads = [] as Error[], createError = undefined as Error | undefined } = {}) {
  const state: { request: ChainSnapshotRequest | undefined } = { request: undefined };
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
    advance: (_before: ChainSnapshotRequest, after: ChainSnapshotRequest) => {
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
