import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Chain, NodeConfiguration } from "../config/node.ts";
import { BootFailure } from "../failure.ts";
import { places } from "../places.ts";
import { writeDurably, type Ownership } from "./files.ts";
import { run } from "./run.ts";

/** Says of which chain a volume is, so that no other is ever written beside it. */
const marker = `${places.chain}/eclair-ami-volume.json`;
const attachMilliseconds = 60_000;

/** Makes the volume for the chain be attached, and gives its id where that is known. */
export type AttachVolume = () => Promise<void>;

/** Mounts the volume that holds the chain; a blank one gets a file system first. */
export async function mountChainVolume(
  { dataVolume, chain }: NodeConfiguration,
  owner: Ownership,
  attach: AttachVolume,
): Promise<void> {
  if (dataVolume !== undefined && !isMounted(places.chain)) {
    if (blockDevice(dataVolume.device) === undefined) await attach();
    const device = await awaitDevice(dataVolume.device);
    if ((await fileSystemOf(device)) === "") await run("mkfs.ext4", ["-q", "-m", "0", "-L", "chain", device]);
    // Exit status 1: it mended something, as it should after a power cut.
    else await run("fsck.ext4", ["-p", device], { allowStatus: [1] });
    pointTo(device);
    await run("systemctl", ["start", "var-lib-bitcoin.mount"]);
  }
  requireChain(chain);
  writeDurably(marker, JSON.stringify({ chain }), { ...owner, mode: 0o644 });
  await run("chown", [`${owner.uid}:${owner.gid}`, places.chain]);
}

/** What var-lib-bitcoin.mount mounts. */
function pointTo(device: string): void {
  rmSync(places.chainVolume, { force: true });
  symlinkSync(device, places.chainVolume);
}

function isMounted(path: string): boolean {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[1] === path && line.startsWith("/dev/"));
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

async function fileSystemOf(device: string): Promise<string> {
  // Exit status 2: nothing was found on it.
  return (
    await run("blkid", ["--probe", "--output", "value", "--match-tag", "TYPE", device], {
      allowFailure: true,
    })
  ).trim();
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
    ? (JSON.parse(readFileSync(marker, "utf8")) as { chain: string }).chain
    : (Object.keys(folders) as Chain[]).find((other) => existsSync(`${places.chain}/${folders[other]}`));
  if (found === undefined || found === chain) return;
  throw new BootFailure({
    code: "volume.chain",
    cause: `the volume on ${places.chain} holds ${found}, and the node is to be on ${chain}`,
    remedy: "name the right chain or snapshot in the node's configuration, or attach an empty volume",
  });
}
