import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Chain, NodeConfiguration } from "../contract/configuration/node.ts";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import { paths } from "./paths.ts";
import { writeDurably, type Ownership } from "./files.ts";
import { run } from "./run.ts";

/** Names the chain of a volume, so that no other chain is ever written to it. */
const marker = `${paths.chain}/eclair-ami-volume.json`;
const Marker = z.object({ formatVersion: z.literal(1), chain: z.string() });
const roundingBytes = 256 * 1024 * 1024;
const attachMilliseconds = 60_000;

/** The chain volume on EC2. */
export type ChainVolumeActions = {
  readonly attach: (
    volume: NonNullable<NodeConfiguration["chainVolume"]>,
  ) => Promise<{ readonly volumeId: string; readonly isOwn: boolean }>;
  /** Makes later instances use another volume. */
  readonly markBroken: (volumeId: string, reason: string) => Promise<void>;
  /** Whether bitcoind's index on the mounted volume was corrupt again after it had been built again. */
  readonly hasBrokenIndex: () => boolean;
};

/** Mounts the chain volume. A blank volume that this instance created gets a file system first. */
export async function mountChainVolume(
  { chainVolume, chain }: NodeConfiguration,
  owner: Ownership,
  actions: ChainVolumeActions,
): Promise<void> {
  if (chainVolume !== undefined && !(await isMounted())) {
    const { volumeId, isOwn } = await actions.attach(chainVolume);
    const device = await awaitDevice(volumeId);
    if (await isBlank(device)) await format(device, volumeId, isOwn);
    else await repair(device, (reason) => actions.markBroken(volumeId, reason), volumeId);
    linkTo(device);
    await run("systemctl", ["start", mountUnit]);
    if (actions.hasBrokenIndex()) throw await brokenIndex(actions, volumeId);
  }
  requireChain(chain);
  writeDurably(marker, JSON.stringify({ formatVersion: 1, chain }), { ...owner, mode: 0o644 });
  await run("chown", [`${owner.uid}:${owner.gid}`, paths.chain]);
}

/** Mounts the second volume of an instance that verifies a snapshot. Its chain must be as expected. */
export async function mountCopy(chain: Chain, owner: Omit<Ownership, "mode">): Promise<void> {
  if (!(await isMounted())) await checkAndMount(await awaitCopy());
  requireChain(chain);
  await run("chown", [`${owner.uid}:${owner.gid}`, paths.chain]);
}

async function checkAndMount(device: string): Promise<void> {
  linkTo(device);
  const operation = "mounting the copy of the snapshot";
  try {
    await run("fsck.ext4", ["-p", device], { allowStatus: [1] });
  } catch (error) {
    // Another attempt would read the same snapshot.
    throw new EclairAmiError(
      {
        code: "volume.broken",
        operation,
        message: `the file system of the snapshot cannot be used: ${messageOf(error)}`,
        remedy: "do not use this snapshot: delete it, and create another one",
      },
      { cause: error },
    );
  }
  try {
    await run("systemctl", ["start", mountUnit]);
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "volume.mount-failed",
        operation,
        message: `the copy of the snapshot cannot be mounted: ${messageOf(error)}`,
        remedy: "verify the snapshot again. When this is repeated, do not use it: create another one",
      },
      { cause: error },
    );
  }
}

/** The name of the link of any EBS volume. */
const volumeLink = /^nvme-Amazon_Elastic_Block_Store_vol[0-9a-f]+$/;

/** The link of the only volume that does not contain the root file system. */
async function awaitCopy(): Promise<string> {
  const root = (await run("findmnt", ["--noheadings", "--output", "SOURCE", "/"])).trim();
  const folder = "/dev/disk/by-id";
  const end = performance.now() + attachMilliseconds;
  for (;;) {
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const copies = names
      .filter((name) => volumeLink.test(name))
      .map((name) => `${folder}/${name}`)
      .filter((link) => !root.startsWith(realpathSync(link)));
    const [copy] = copies;
    if (copies.length > 1) throw ambiguous(copies);
    if (copy !== undefined) return copy;
    if (performance.now() > end) throw notFound("the copy of the snapshot", folder);
    await sleep(50);
  }
}

const ambiguous = (links: readonly string[]): EclairAmiError =>
  new EclairAmiError({
    code: "volume.not-found",
    operation: "mounting the chain volume",
    message: `this instance has several volumes besides its root volume, and only one can be the copy of the snapshot: ${links.join(", ")}`,
    remedy: "bake the image from a base image whose block device mapping has only the root volume",
  });

async function brokenIndex(actions: ChainVolumeActions, volumeId: string): Promise<EclairAmiError> {
  await actions.markBroken(volumeId, "index");
  return new EclairAmiError({
    code: "volume.broken",
    operation: "mounting the chain volume",
    message: `bitcoind's index on ${volumeId} was corrupt again after it had been built again`,
    remedy:
      "launch another instance: the volume has the tag eclair-ami:broken, and no instance uses it any more. docs/incidents.md describes how to repair it",
  });
}

async function format(device: string, volumeId: string, isOwn: boolean): Promise<void> {
  if (isOwn) return void (await run("mkfs.ext4", ["-q", "-m", "0", "-L", "chain", device]));
  throw new EclairAmiError({
    code: "volume.foreign-data",
    operation: "mounting the chain volume",
    message: `${volumeId} has no file system, and another instance created it: its data may be lost, or encrypted by another program`,
    remedy: "find out what the volume is. When it is empty, delete it, and the next boot creates another one",
  });
}

const mountUnit = "var-lib-bitcoin.mount";

/** Asks systemd: in the mount namespace of this unit the folder is always a mount. */
async function isMounted(): Promise<boolean> {
  const state = await run("systemctl", ["is-active", mountUnit], { allowFailure: true });
  return state.trim() === "active";
}

/** var-lib-bitcoin.mount mounts the device behind this link. */
function linkTo(device: string): void {
  rmSync(paths.chainVolume, { force: true });
  symlinkSync(device, paths.chainVolume);
}

/** Whether the device has no signature at all, not even a partition table. Only such a device is ever formatted. */
async function isBlank(device: string): Promise<boolean> {
  const signatures = await run("wipefs", ["--noheadings", "--output", "TYPE", device]);
  const types = signatures
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (types.length === 0) return true;
  if (types.every((type) => type === "ext4")) return false;
  throw new EclairAmiError({
    code: "volume.foreign-data",
    operation: "mounting the chain volume",
    message: `the volume on ${device} contains ${types.join(", ")} instead of one ext4 file system`,
    remedy:
      "attach a volume that this project created, or an empty volume. Nothing on the volume was changed",
  });
}

/** Repairs the file system after a power loss, and grows it on a volume from a smaller snapshot. */
async function repair(
  device: string,
  mark: (reason: string) => Promise<void>,
  volumeId: string,
): Promise<void> {
  try {
    // Exit status 1: fsck repaired something. From 4 on, it found errors that need a decision (fsck(8)).
    await run("fsck.ext4", ["-p", device], { allowStatus: [1] });
    if (!(await canGrow(device))) return;
    // resize2fs requires a full check.
    await run("fsck.ext4", ["-f", "-p", device], { allowStatus: [1] });
  } catch (error) {
    await mark("file system");
    throw new EclairAmiError(
      {
        code: "volume.broken",
        operation: "mounting the chain volume",
        message: `the file system of ${volumeId} has errors that fsck does not repair by itself: ${messageOf(error)}`,
        remedy:
          "launch another instance: the volume has the tag eclair-ami:broken, and no instance uses it any more. docs/incidents.md describes how to repair it",
      },
      { cause: error },
    );
  }
  await run("resize2fs", [device]);
}

/** Whether the volume is larger than its file system by more than a rounding difference. */
async function canGrow(device: string): Promise<boolean> {
  const header = await run("dumpe2fs", ["-h", device]);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)$`, "m").exec(header)?.[1]);
  const used = field("Block count") * field("Block size");
  return Number(await run("blockdev", ["--getsize64", device])) - used > roundingBytes;
}

/**
 * The link that udev creates for an EBS volume on a Nitro instance. Device names such as /dev/sdf are not stable there.
 * https://docs.aws.amazon.com/ebs/latest/userguide/identify-nvme-ebs-device.html
 */
const linkOf = (volumeId: string) =>
  `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;

async function awaitDevice(volumeId: string): Promise<string> {
  const link = linkOf(volumeId);
  const end = performance.now() + attachMilliseconds;
  for (;;) {
    if (existsSync(link) && statSync(link).isBlockDevice()) return link;
    if (performance.now() > end) throw notFound(`the chain volume ${volumeId}`, link);
    await sleep(50);
  }
}

const notFound = (volume: string, link: string): EclairAmiError =>
  new EclairAmiError({
    code: "volume.not-found",
    operation: "mounting the chain volume",
    message: `${volume} did not appear as ${link}`,
    remedy: "check the volume in EC2, and use an instance type of the Nitro system. The boot tries again",
    retryable: true,
  });

/** bitcoind's folder for each chain, below its data folder. */
const folders: Readonly<Record<Chain, string>> = {
  mainnet: "blocks",
  testnet: "testnet3",
  testnet4: "testnet4",
  signet: "signet",
  regtest: "regtest",
};

function requireChain(chain: Chain): void {
  const found = existsSync(marker)
    ? readMarker()
    : (Object.keys(folders) as Chain[]).find((other) => existsSync(`${paths.chain}/${folders[other]}`));
  if (found === undefined || found === chain) return;
  throw new EclairAmiError({
    code: "volume.chain-mismatch",
    operation: "mounting the chain volume",
    message: `the volume on ${paths.chain} contains ${found}, and the node's chain is ${chain}`,
    remedy: "correct the chain or the snapshot in the node's configuration, or attach an empty volume",
  });
}

/** The chain in the marker of a chain volume. */
function readMarker(): string {
  const parsed = Marker.safeParse(JSON.parse(readFileSync(marker, "utf8")));
  if (parsed.success) return parsed.data.chain;
  throw new EclairAmiError(
    {
      code: "volume.foreign-data",
      operation: "mounting the chain volume",
      message: `${marker} has a format that this image does not know`,
      remedy:
        "use an image of the version that created the volume, or an empty volume. Nothing on the volume was changed",
    },
    { cause: parsed.error },
  );
}
