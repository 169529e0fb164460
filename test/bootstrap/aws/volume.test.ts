import { beforeEach, describe, expect, test, vi } from "vitest";
import { attachChainVolume } from "../../../bootstrap/aws/volume.ts";
import { tags } from "../../../bootstrap/contract/tags.ts";
import { tagsOf } from "../../../bootstrap/contract/chain/snapshot-tags.ts";
import type { FakeCommand } from "../../support/aws-command.ts";
import { chainFacts } from "../../support/chain-facts.ts";
import { captureLog } from "../../support/log-capture.ts";

captureLog();

type Volume = {
  readonly id: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly state?: string;
  readonly holder?: string;
  readonly broken?: boolean;
};

const ec2 = vi.hoisted(() => ({
  volumes: [] as object[],
  snapshots: [] as object[],
  /** The error of the next reading of the snapshots. */
  snapshotsError: undefined as Error | undefined,
  /** The states of instances by id. */
  instances: {} as Record<string, string>,
  /** Called after each poll of the instances. */
  afterPoll: (): void => undefined,
  /** Volumes that another instance attaches first. */
  taken: [] as string[],
  calls: [] as FakeCommand[],
}));
vi.mock("@aws-sdk/client-ec2", async () => {
  const { fakeCommand: command } = await import("../../support/aws-command.ts");
  return {
    EC2Client: class {
      async send({ name, input }: FakeCommand): Promise<object> {
        ec2.calls.push({ name, input });
        if (name === "attach" && ec2.taken.includes(String(input["VolumeId"])))
          throw Object.assign(new Error("already attached"), { name: "VolumeInUse" });
        if (name === "instances") {
          const ids = (input["Filters"] as { Values: string[] }[])[0]?.Values ?? [];
          const Instances = ids.map((id) => ({ InstanceId: id, State: { Name: ec2.instances[id] } }));
          ec2.afterPoll();
          return { Reservations: [{ Instances }] };
        }
        return await Promise.resolve(name === "create" ? { VolumeId: "vol-new" } : {});
      }
    },
    AttachVolumeCommand: command("attach"),
    CreateVolumeCommand: command("create"),
    DescribeInstancesCommand: command("instances"),
    paginateDescribeVolumes: async function* paginateDescribeVolumes() {
      yield* await Promise.resolve([{ Volumes: ec2.volumes }]);
    },
    paginateDescribeSnapshots: async function* paginateDescribeSnapshots() {
      if (ec2.snapshotsError !== undefined) throw ec2.snapshotsError;
      yield* await Promise.resolve([{ Snapshots: ec2.snapshots }]);
    },
    waitUntilVolumeAvailable: async () => await Promise.resolve(),
  };
});
vi.mock("../../../bootstrap/aws/volume-size.ts", () => ({ enlarge: async () => await Promise.resolve() }));
vi.mock("../../../bootstrap/eclair/image.ts", () => ({ bitcoindVersion: () => "31.1" }));
vi.mock("../../../bootstrap/imds/read.ts", () => ({
  readTargetLifecycleState: async () => await Promise.resolve(undefined),
}));

const device = "/dev/sdf";
const describeVolume = ({
  id,
  createdBy,
  createdAt,
  state = "available",
  holder,
  broken,
}: Volume): object => ({
  VolumeId: id,
  State: state,
  CreateTime: new Date(createdAt),
  Attachments: holder === undefined ? [] : [{ InstanceId: holder, Device: device }],
  Tags: [
    { Key: tags.createdBy, Value: createdBy },
    ...(broken === true ? [{ Key: tags.broken, Value: "index" }] : []),
  ],
});

async function attach(...volumes: Volume[]) {
  ec2.volumes = volumes.map(describeVolume);
  return await attachChainVolume(
    { cluster: "demo", chain: "regtest", failover: { drainSeconds: 0 } } as Parameters<
      typeof attachChainVolume
    >[0],
    { device, sizeGibibytes: 4 },
    { instanceId: "i-own", availabilityZone: "us-east-1a" } as Parameters<typeof attachChainVolume>[2],
    { region: "us-east-1" },
  );
}
const attached = () =>
  ec2.calls.filter(({ name }) => name === "attach").map(({ input }) => input["VolumeId"]);

beforeEach(() => {
  ec2.taken = [];
  ec2.snapshots = [];
  ec2.snapshotsError = undefined;
  ec2.instances = {};
  ec2.afterPoll = () => undefined;
  ec2.calls.length = 0;
});

describe("the volume may be formatted", () => {
  test("when this instance creates it: it names this instance as its creator", async () => {
    expect(await attach()).toEqual({ volumeId: "vol-new", isOwn: true });
    const [created] = ec2.calls.filter(({ name }) => name === "create");
    expect(JSON.stringify(created?.input)).toContain(JSON.stringify({ Key: tags.createdBy, Value: "i-own" }));
  });

  test("when this instance created it in an earlier boot", async () => {
    const own = { id: "vol-1", createdBy: "i-own", createdAt: "2026-01-01" };
    expect(await attach({ ...own, state: "in-use", holder: "i-own" })).toEqual({
      volumeId: "vol-1",
      isOwn: true,
    });
    expect(attached()).toEqual([]);
  });
});

test("a volume of an earlier instance may not be formatted", async () => {
  const earlier = { id: "vol-1", createdBy: "i-earlier", createdAt: "2026-01-01" };
  expect(await attach(earlier)).toEqual({ volumeId: "vol-1", isOwn: false });
});

test("the oldest volume is used, unless it is broken or another instance is faster", async () => {
  const volumes = ["vol-3", "vol-1", "vol-2", "vol-0"].map((id) => ({
    id,
    createdBy: "i-earlier",
    createdAt: `2026-01-0${Number(id.at(-1)) + 1}`,
    broken: id === "vol-0",
  }));
  ec2.taken = ["vol-1"];
  expect(await attach(...volumes)).toEqual({ volumeId: "vol-2", isOwn: false });
  expect(attached()).toEqual(["vol-1", "vol-2"]);
});

describe("another instance in the same zone", () => {
  const idle: Volume = { id: "vol-idle", createdBy: "i-gone", createdAt: "2026-01-01" };
  const left: Volume = { id: "vol-left", createdBy: "i-left", createdAt: "2026-02-01" };

  test("that is being terminated: its volume is attached, and not an older unattached one", async () => {
    ec2.instances = { "i-left": "shutting-down" };
    const inUse = { ...left, state: "in-use", holder: "i-left" };
    // The volume is released while this instance waits.
    ec2.afterPoll = () => {
      ec2.volumes = [idle, left].map(describeVolume);
    };
    expect(await attach(idle, inUse)).toEqual({ volumeId: "vol-left", isOwn: false });
  });

  test("that runs: the unattached volume is attached", async () => {
    ec2.instances = { "i-left": "running" };
    expect(await attach(idle, { ...left, state: "in-use", holder: "i-left" })).toEqual({
      volumeId: "vol-idle",
      isOwn: false,
    });
  });

  test.each(["available", "creating"])(
    "that has just created a volume: the volume is left to it while it is %s",
    async (state) => {
      ec2.instances = { "i-other": "running" };
      const fresh = { id: "vol-other", createdBy: "i-other", createdAt: new Date().toISOString(), state };
      expect(await attach(fresh)).toEqual({ volumeId: "vol-new", isOwn: true });
    },
  );

  test("that ended before it attached its new volume: the volume is attached", async () => {
    ec2.instances = { "i-other": "terminated" };
    const fresh = { id: "vol-other", createdBy: "i-other", createdAt: new Date().toISOString() };
    expect(await attach(fresh)).toEqual({ volumeId: "vol-other", isOwn: false });
  });
});

describe("a new volume without a snapshot in the configuration", () => {
  const broken: Volume = { id: "vol-1", createdBy: "i-earlier", createdAt: "2026-01-01", broken: true };
  const snapshot = (id: string, height: number, VolumeSize: number, isVerified = true, cluster = "demo") => ({
    ...{ SnapshotId: id, State: "completed", VolumeSize },
    Tags: [
      ...tagsOf(cluster, { ...chainFacts, height }),
      ...(isVerified ? [{ Key: tags.verified, Value: "2026-01-01" }] : []),
    ],
  });
  const input = () => ec2.calls.find(({ name }) => name === "create")?.input;
  const created = () => input()?.["SnapshotId"];

  beforeEach(() => {
    ec2.snapshots = [
      snapshot("snap-old", 100, 4),
      snapshot("snap-new", 200, 4),
      snapshot("snap-not-verified", 300, 4, false),
      snapshot("snap-larger", 400, 5),
      snapshot("snap-of-another-cluster", 500, 4, true, "other"),
    ];
  });

  test("comes from the newest verified snapshot of the cluster, when the last volume is broken", async () => {
    await attach(broken);
    expect(created()).toBe("snap-larger");
  });

  test("is at least as large as its snapshot", async () => {
    await attach(broken);
    expect(input()?.["Size"]).toBe(5);
    ec2.calls.length = 0;
    ec2.snapshots = [snapshot("snap-old", 100, 3)];
    await attach(broken);
    expect(input()?.["Size"]).toBe(4);
  });

  test("is empty when no snapshot can be used, or when no volume is broken", async () => {
    await attach();
    expect(created()).toBeUndefined();
    ec2.calls.length = 0;
    ec2.snapshots = [snapshot("snap-of-another-cluster", 500, 4, true, "other")];
    await attach(broken);
    expect([attached(), created()]).toEqual([["vol-new"], undefined]);
  });

  test("is not created when the snapshots cannot be read: later boots would keep an empty one", async () => {
    ec2.snapshotsError = Object.assign(new Error("not authorized"), { name: "UnauthorizedOperation" });
    await expect(attach(broken)).rejects.toMatchObject({ code: "volume.attach-failed" });
    expect(input()).toBeUndefined();
  });
});
