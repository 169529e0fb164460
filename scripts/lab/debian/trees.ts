import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { execa } from "execa";
import { Failure } from "../../core/failure.ts";
import { cacheDir } from "../../setup/places.mjs";

/** Debian's release that images are made from. */
export const suite = "trixie";

/** What Debian's cloud image has and a minimal system lacks. */
const cloudPackages = [
  "ca-certificates",
  "cloud-init",
  "curl",
  "dbus",
  "e2fsprogs",
  "iproute2",
  "netbase",
  "openssh-server",
  "procps",
  "sudo",
  "systemd",
  "systemd-resolved",
  "systemd-sysv",
  "unattended-upgrades",
];

const here = import.meta.dirname;

function recipeDigest(...names: string[]): string {
  const hash = createHash("sha256").update(cloudPackages.join(" "));
  for (const name of names) hash.update(readFileSync(join(here, name)));
  for (const file of globSync("rootfs/**", { cwd: here, withFileTypes: true }))
    if (file.isFile()) hash.update(file.name).update(readFileSync(join(file.parentPath, file.name)));
  return hash.digest("hex").slice(0, 12);
}

/**
 * The root file system of the lab's Debian AMI, made once and kept in the cache.
 * @returns the folder of the tree
 */
export async function debianTree(): Promise<string> {
  const folder = join(cacheDir(), `debian-${suite}-${recipeDigest("customize.sh")}`);
  const tree = join(folder, "rootfs");
  if (existsSync(tree)) return tree;
  return await makeOnce(folder, async (temporary) => {
    const made = join(temporary, "rootfs");
    await runMaker("mmdebstrap", [
      "--quiet",
      "--variant=minbase",
      `--include=${cloudPackages.join(",")}`,
      `--customize-hook=${join(here, "customize.sh")} "$1"`,
      suite,
      made,
    ]);
    return tree;
  });
}

export type DebianBitcoind = {
  /** The upper layer over the Debian tree that has bitcoind installed. */
  readonly layer: string;
  /** The package as apt verified it. */
  readonly packageFile: string;
  /** e.g. 29.4 */
  readonly version: string;
};

/** Debian's bitcoind over the Debian tree, made once and kept in the cache. */
export async function debianBitcoind(): Promise<DebianBitcoind> {
  const lower = await debianTree();
  const folder = join(cacheDir(), `bitcoind-debian-${recipeDigest("customize.sh", "bitcoind.sh")}`);
  if (!existsSync(folder)) {
    await makeOnce(folder, async (temporary) => {
      for (const name of ["layer", "work", "tree"]) mkdirSync(join(temporary, name));
      const script = [
        'mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/layer,workdir=$2/work" "$2/tree"',
        'mount -t proc proc "$2/tree/proc"',
        '"$3" "$2/tree" "$2"',
      ].join(" && ");
      await runMaker("unshare", [
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        lower,
        temporary,
        join(here, "bitcoind.sh"),
      ]);
      rmSync(join(temporary, "work"), { recursive: true });
      return folder;
    });
  }
  const name = readdirSync(folder).find((file) => file.endsWith(".deb"));
  const version = /_(\d+\.\d+)/.exec(name ?? "")?.[1];
  if (name === undefined || version === undefined) throw new Error(`${folder} holds no bitcoind package`);
  return { layer: join(folder, "layer"), packageFile: join(folder, basename(name)), version };
}

async function makeOnce(folder: string, make: (temporary: string) => Promise<string>): Promise<string> {
  const temporary = `${folder}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    const result = await make(temporary);
    // Another run may have made the same meanwhile: the two are alike, and the first stays.
    if (!existsSync(folder)) renameSync(temporary, folder);
    return result;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function runMaker(command: string, args: string[]): Promise<void> {
  const result = await execa(command, args, { all: true, reject: false, stdin: "ignore" });
  if (result.exitCode === 0) return;
  if (result.code === "ENOENT")
    throw new Failure({
      code: "lab.set-up",
      doing: "making a Debian tree for the lab",
      cause: `${command} is not installed`,
      remedy: "run `npm start` or `npm test` first: each sets this machine up",
    });
  throw new Failure({
    code: "lab.debian",
    doing: "making a Debian tree for the lab",
    cause: `${command} ended with ${result.signal ?? result.exitCode}:\n${(result.all ?? "").split("\n").slice(-8).join("\n")}`,
    remedy: "check that Debian's package mirror can be reached from this machine, then run it again",
  });
}
