import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Chain, NodeConfiguration } from "../config/node.ts";
import { BootFailure } from "../failure.ts";
import { places } from "../places.ts";
import { writeDurably, type Ownership } from "./files.ts";
import { run } from "./run.ts";

/** Says of which chain a volume is, so that no other is ever written beside it. */
const marker = `${places.chain}/eclair-ami-volume.json`;
const Marker = z.object({ chain: z.string() });
const roundingBytes = 256 * 1024 * 1024;
const attachMilliseconds = 60_000;

/** Makes the volume for the chain be attached. */
export type AttachVolume = () => Promise<void>;

/** Mounts the volume that holds the chain; a blank one gets a file system first. */
export async function mountChainVolume(
  { dataVolume, chain }: NodeConfiguration,
  owner: Ownership,
  attach: AttachVolume,
): Promise<void> {
  if (dataVolume !== undefined && !(await isMounted())) {
    if (blockDevice(dataVolume.device) === undefined) await attach();
    const device = await awaitDevice(dataVolume.device);
    if (await isBlank(device)) await run("mkfs.ext4", ["-q", "-m", "0", "-L", "chain", device]);
    else await mend(device);
    pointTo(device);
    await run("systemctl", ["start", mountUnit]);
  }
  requireChain(chain);
  writeDurably(marker, JSON.stringify({ chain }), { ...owner, mode: 0o644 });
  await run("chown", [`${owner.uid}:${owner.gid}`, places.chain]);
}

const mountUnit = "var-lib-bitcoin.mount";

/** Asks systemd: in this unit's own view of the file system the folder is a mount in any case. */
async function isMounted(): Promise<boolean> {
  const state = await run("systemctl", ["is-active", mountUnit], { allowFailure: true });
  return state.trim() === "active";
}

/** What var-lib-bitcoin.mount mounts. */
function pointTo(device: string): void {
  rmSync(places.chainVolume, { force: true });
  symlinkSync(device, places.chainVolume);
}

/** Nothing at all is known on it, not even a partition table; only such a disk is ever formatted. */
async function isBlank(device: string): Promise<boolean> {
  const signatures = await run("wipefs", ["--noheadings", "--output", "TYPE", device]);
  const types = signatures
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (types.length === 0) return true;
  if (types.every((type) => type === "ext4")) return false;
  throw new BootFailure({
    code: "volume.foreign",
    cause: `the volume on ${device} holds ${types.join(", ")}, and not one ext4 file system`,
    remedy: "attach a volume that this project made, or an empty one; nothing on it was changed",
  });
}

/** After a power cut there may be something to mend; a volume from a smaller snapshot has room to take. */
async function mend(device: string): Promise<void> {
  // Exit status 1: it mended something.
  await run("fsck.ext4", ["-p", device], { allowStatus: [1] });
  if (!(await hasRoom(device))) return;
  // resize2fs wants a full check before it.
  await run("fsck.ext4", ["-f", "-p", device], { allowStatus: [1] });
  await run("resize2fs", [device]);
}

/** Whether the volume is larger than its file system by more than a rounding. */
async function hasRoom(device: string): Promise<boolean> {
  const header = await run("dumpe2fs", ["-h", device]);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)$`, "m").exec(header)?.[1]);
  const used = field("Block count") * field("Block size");
  return Number(await run("blockdev", ["--getsize64", device])) - used > roundingBytes;
}

const nvmeLinks = "/dev/disk/by-id";
const nvmeVolume = /^nvme-Amazon_Elastic_Block_Store_vol[0-9a-f]+$/;

/** EC2's name of a device, or the NVMe disk that a Nitro instance shows in its place. */
function blockDevice(name: string): string | undefined {
  for (const candidate of [name, name.replace("/dev/sd", "/dev/xvd")])
    if (existsSync(candidate) && statSync(candidate).isBlockDevice()) return candidate;
  if (!existsSync(nvmeLinks)) return undefined;
  const names = readdirSync(nvmeLinks);
  // The root volume is the one with partitions.
  const disks = names.filter((link) => nvmeVolume.test(link) && !names.includes(`${link}-part1`));
  if (disks.length > 1)
    throw new BootFailure({
      code: "volume.ambiguous",
      cause: `${disks.length} volumes beside the root are attached: ${disks.join(", ")}`,
      remedy: "attach one volume, for the chain, and no other",
    });
  return disks[0] === undefined ? undefined : `${nvmeLinks}/${disks[0]}`;
}

async function awaitDevice(name: string): Promise<string> {
  const end = performance.now() + attachMilliseconds;
  for (;;) {
    const found = blockDevice(name);
    if (found !== undefined) return found;
    if (performance.now() > end)
      throw new BootFailure({
        code: "volume.absent",
        cause: `the volume for the chain did not appear as ${name}`,
        remedy: "look at the volume in EC2; it is tried again",
        heals: true,
      });
    await sleep(50);
  }
}

/** The folder that bitcoind gives each chain below its data folder. */
const folders: Readonly<Record<Chain, string>> = {
  mainnet: "blocks",
  testnet: "testnet3",
  testnet4: "testnet4",
  signet: "signet",
  regtest: "regtest",
};

function requireChain(chain: Chain): void {
  const found = existsSync(marker)
    ? Marker.parse(JSON.parse(readFileSync(marker, "utf8"))).chain
    : (Object.keys(folders) as Chain[]).find((other) => existsSync(`${places.chain}/${folders[other]}`));
  if (found === undefined || found === chain) return;
  throw new BootFailure({
    code: "volume.chain",
    cause: `the volume on ${places.chain} holds ${found}, and the node is to be on ${chain}`,
    remedy: "name the right chain or snapshot in the node's configuration, or attach an empty volume",
  });
}
