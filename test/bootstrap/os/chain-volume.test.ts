import { beforeEach, describe, expect, test, vi } from "vitest";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { mountChainVolume, mountCopy } from "../../../bootstrap/os/chain-volume.ts";
import type { writeDurably } from "../../../bootstrap/os/files.ts";
import type { run } from "../../../bootstrap/os/run.ts";

const root = "/dev/nvme0n1";
const links = new Map([
  ["/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0a", root],
  ["/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0c", "/dev/nvme1n1"],
]);
const chainLink = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0c";
const blockBytes = 4096;

/** What the programs of the host find on the volume. */
const disk = {
  signatures: "",
  fsckFails: false,
  mount: "inactive",
  fileSystemBlocks: 1_000_000,
  volumeBlocks: 1_000_000,
};
const commands: string[] = [];
/** The exit statuses of fsck that count as a success, besides 0. */
const fsckStatuses: unknown[] = [];

vi.mock("../../../bootstrap/os/run.ts", () => ({
  run: async (...[command, args, options]: Parameters<typeof run>) => {
    commands.push([command, ...args].join(" "));
    if (command === "fsck.ext4") fsckStatuses.push(options?.allowStatus);
    if (command === "findmnt") return await Promise.resolve(`${root}p1\n`);
    if (command === "wipefs") return disk.signatures;
    if (command === "fsck.ext4" && disk.fsckFails) throw new Error("fsck.ext4 failed (4)");
    if (command === "systemctl" && args[0] === "is-active") return disk.mount;
    if (command === "systemctl" && disk.mount === "failed") throw new Error("systemctl failed (1)");
    if (command === "dumpe2fs") return `Block count:  ${disk.fileSystemBlocks}\nBlock size:  ${blockBytes}\n`;
    if (command === "blockdev") return `${disk.volumeBlocks * blockBytes}\n`;
    return "";
  },
}));
vi.mock("../../../bootstrap/os/files.ts", () => ({ writeDurably: vi.fn<typeof writeDurably>() }));
vi.mock("node:fs", () => ({
  existsSync: (path: string) => path === "/dev/disk/by-id" || links.has(path),
  readdirSync: () => [...links.keys()].map((link) => link.replace("/dev/disk/by-id/", "")),
  realpathSync: (link: string) => links.get(link),
  statSync: () => ({ isBlockDevice: () => true }),
  rmSync: () => undefined,
  symlinkSync: () => undefined,
  readFileSync: () => "",
}));

const markBroken = vi.fn<(volumeId: string, reason: string) => Promise<void>>();
const owner = { uid: 7, gid: 7 };

async function mount({ isOwn = true, hasBrokenIndex = false } = {}) {
  const configuration = {
    chain: "regtest",
    chainVolume: { sizeGibibytes: 4 },
  } as unknown as NodeConfiguration;
  await mountChainVolume(configuration, owner as Parameters<typeof mountChainVolume>[1], {
    attach: async () => await Promise.resolve({ volumeId: "vol-0c", isOwn }),
    markBroken,
    hasBrokenIndex: () => hasBrokenIndex,
  });
}
const ran = (program: string) => commands.filter((command) => command.startsWith(program));
const codeOf = (error: unknown) => (error instanceof EclairAmiError ? error.code : error);

beforeEach(() => {
  commands.length = 0;
  fsckStatuses.length = 0;
  markBroken.mockReset();
  Object.assign(disk, {
    signatures: "ext4\n",
    fsckFails: false,
    mount: "inactive",
    fileSystemBlocks: 1_000_000,
    volumeBlocks: 1_000_000,
  });
  links.delete("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0d");
});

describe("a volume", () => {
  test("that is blank and that this instance created is formatted, by the link of its id", async () => {
    disk.signatures = "";
    await mount();
    expect(ran("mkfs.ext4")).toEqual([`mkfs.ext4 -q -m 0 -L chain ${chainLink}`]);
    expect(ran("systemctl start")).toHaveLength(1);
  });

  test("that is blank and that another instance created is refused", async () => {
    disk.signatures = "";
    expect(await mount({ isOwn: false }).catch(codeOf)).toBe("volume.foreign-data");
    expect([ran("mkfs"), ran("systemctl start")]).toEqual([[], []]);
  });

  test.each(["xfs\n", "gpt\nPMBR\n", "ext4\nLVM2_member\n", "crypto_LUKS\n"])(
    "with the signatures %j is refused, and not changed",
    async (signatures) => {
      disk.signatures = signatures;
      expect(await mount().catch(codeOf)).toBe("volume.foreign-data");
      expect([ran("mkfs"), ran("fsck"), ran("resize2fs"), ran("systemctl start")]).toEqual([[], [], [], []]);
    },
  );

  test("with an ext4 file system is checked, and not formatted", async () => {
    await mount();
    expect(ran("fsck.ext4")).toEqual([`fsck.ext4 -p ${chainLink}`]);
    expect([ran("mkfs"), ran("resize2fs")]).toEqual([[], []]);
  });

  test("that is larger than its file system is checked completely, and its file system grows", async () => {
    disk.volumeBlocks = 2_000_000;
    await mount();
    expect(ran("fsck.ext4")).toEqual([`fsck.ext4 -p ${chainLink}`, `fsck.ext4 -f -p ${chainLink}`]);
    expect(ran("resize2fs")).toEqual([`resize2fs ${chainLink}`]);
    // From 4 on, fsck found errors that it did not repair.
    expect(fsckStatuses).toEqual([[1], [1]]);
  });

  test("whose file system fsck does not repair is marked as broken, and not mounted", async () => {
    disk.fsckFails = true;
    expect(await mount().catch(codeOf)).toBe("volume.broken");
    expect(markBroken).toHaveBeenCalledWith("vol-0c", "file system");
    expect(ran("systemctl start")).toEqual([]);
  });

  test("whose index was corrupt again after it had been built again is marked as broken", async () => {
    expect(await mount({ hasBrokenIndex: true }).catch(codeOf)).toBe("volume.broken");
    expect(markBroken).toHaveBeenCalledWith("vol-0c", "index");
  });
});

describe("the copy of a snapshot", () => {
  test("is the only volume besides the root volume", async () => {
    await mountCopy("regtest", owner);
    expect(ran("fsck.ext4")).toEqual([`fsck.ext4 -p ${chainLink}`]);
  });

  test("with errors that fsck does not repair is refused for good: every attempt would read the same snapshot", async () => {
    disk.fsckFails = true;
    await expect(mountCopy("regtest", owner)).rejects.toMatchObject({
      code: "volume.broken",
      retryable: false,
    });
  });

  test("that cannot be mounted says nothing about the snapshot", async () => {
    disk.mount = "failed";
    await expect(mountCopy("regtest", owner)).rejects.toMatchObject({
      code: "volume.mount-failed",
      retryable: false,
    });
  });

  test("is not checked again when another attempt of the boot mounted it", async () => {
    disk.mount = "active";
    await mountCopy("regtest", owner);
    expect(ran("fsck")).toEqual([]);
  });

  test("is not guessed among several volumes", async () => {
    links.set("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0d", "/dev/nvme2n1");
    expect(await mountCopy("regtest", owner).catch(codeOf)).toBe("volume.not-found");
    expect([ran("fsck"), ran("systemctl start")]).toEqual([[], []]);
  });
});
