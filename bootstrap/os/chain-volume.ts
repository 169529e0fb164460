import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Chain, NodeConfiguration } from "../contract/configuration/node.ts";
import { EclairAmiError } from "../contract/errors.ts";
import { paths } from "./paths.ts";
import { writeDurably, type Ownership } from "./files.ts";
import { run } from "./run.ts";

/** Names the chain of a volume, so that no other chain is ever written to it. */
const marker = `${paths.chain}/eclair-ami-volume.json`;
const Marker = z.object({ formatVersion: z.literal(1), chain: z.string() });
const roundingBytes = 256 * 1024 * 1024;
const attachMilliseconds = 60_000;

/** Attaches the chain volume. */
export type AttachVolume = () => Promise<void>;

/** Mounts the chain volume. A blank volume gets a file system first. */
export async function mountChainVolume(
  { chainVolume, chain }: NodeConfiguration,
  owner: Ownership,
  attach: AttachVolume,
): Promise<void> {
  if (chainVolume !== undefined && !(await isMounted())) {
    if (blockDevice(chainVolume.device) === undefined) await attach();
    const device = await awaitDevice(chainVolume.device);
    if (await isBlank(device)) await run("mkfs.ext4", ["-q", "-m", "0", "-L", "chain", device]);
    else await repair(device);
    linkTo(device);
    await run("systemctl", ["start", mountUnit]);
  }
  requireChain(chain);
  writeDurably(marker, JSON.stringify({ formatVersion: 1, chain }), { ...owner, mode: 0o644 });
  await run("chown", [`${owner.uid}:${owner.gid}`, paths.chain]);
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
async function repair(device: string): Promise<void> {
  // Exit status 1: fsck repaired something.
  await run("fsck.ext4", ["-p", device], { allowStatus: [1] });
  if (!(await canGrow(device))) return;
  // resize2fs requires a full check.
  await run("fsck.ext4", ["-f", "-p", device], { allowStatus: [1] });
  await run("resize2fs", [device]);
}

/** Whether the volume is larger than its file system by more than a rounding difference. */
async function canGrow(device: string): Promise<boolean> {
  const header = await run("dumpe2fs", ["-h", device]);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)$`, "m").exec(header)?.[1]);
  const used = field("Block count") * field("Block size");
  return Number(await run("blockdev", ["--getsize64", device])) - used > roundingBytes;
}

const nvmeLinks = "/dev/disk/by-id";
const nvmeVolume = /^nvme-Amazon_Elastic_Block_Store_vol[0-9a-f]+$/;

/** The device with EC2's name, or the NVMe disk that a Nitro instance has instead. */
function blockDevice(name: string): string | undefined {
  for (const candidate of [name, name.replace("/dev/sd", "/dev/xvd")])
    if (existsSync(candidate) && statSync(candidate).isBlockDevice()) return candidate;
  if (!existsSync(nvmeLinks)) return undefined;
  const names = readdirSync(nvmeLinks);
  // Only the root volume has partitions.
  const disks = names.filter((link) => nvmeVolume.test(link) && !names.includes(`${link}-part1`));
  if (disks.length > 1)
    throw new EclairAmiError({
      code: "volume.ambiguous",
      operation: "mounting the chain volume",
      message: `${disks.length} volumes are attached in addition to the root volume: ${disks.join(", ")}`,
      remedy: "attach the chain volume and no other volume",
    });
  return disks[0] === undefined ? undefined : `${nvmeLinks}/${disks[0]}`;
}

async function awaitDevice(name: string): Promise<string> {
  const end = performance.now() + attachMilliseconds;
  for (;;) {
    const found = blockDevice(name);
    if (found !== undefined) return found;
    if (performance.now() > end)
      throw new EclairAmiError({
        code: "volume.not-found",
        operation: "mounting the chain volume",
        message: `the chain volume did not appear as ${name}`,
        remedy: "check the volume in EC2. The boot tries again",
        retryable: true,
      });
    await sleep(50);
  }
}

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
