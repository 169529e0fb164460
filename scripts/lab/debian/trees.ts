import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { execa } from "execa";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { cacheDir } from "../../machine/paths.mjs";

/** The Debian release of the images. */
export const suite = "trixie";

/** The packages of Debian's cloud image that a minimal system lacks. */
const cloudPackages = [
  "ca-certificates",
  "cloud-init",
  "curl",
  "dbus",
  "e2fsprogs",
  "iproute2",
  "netbase",
  "netplan.io",
  "openssh-server",
  "procps",
  "sudo",
  "systemd",
  "systemd-resolved",
  "systemd-sysv",
  "unattended-upgrades",
];

const folder = import.meta.dirname;

function recipeDigest(...names: string[]): string {
  const hash = createHash("sha256").update(cloudPackages.join(" "));
  for (const name of names) hash.update(readFileSync(join(folder, name)));
  for (const file of globSync("rootfs/**", { cwd: folder, withFileTypes: true }))
    if (file.isFile()) hash.update(file.name).update(readFileSync(join(file.parentPath, file.name)));
  return hash.digest("hex").slice(0, 12);
}

/**
 * Creates the root file system of the lab's Debian AMI in the cache, unless it exists.
 * @returns the folder of the tree
 */
export async function debianTree(): Promise<string> {
  const cached = join(cacheDir(), `debian-${suite}-${recipeDigest("customize.sh")}`);
  const tree = join(cached, "rootfs");
  if (existsSync(tree)) return tree;
  await createOnce(cached, async (temporary) => {
    await runBuilder("mmdebstrap", [
      "--quiet",
      "--variant=minbase",
      `--include=${cloudPackages.join(",")}`,
      `--customize-hook=${join(folder, "customize.sh")} "$1"`,
      suite,
      join(temporary, "rootfs"),
    ]);
  });
  return tree;
}

export type DebianBitcoind = {
  /** The overlay layer that contains the installed bitcoind. */
  readonly layer: string;
  /** The package, verified by apt. */
  readonly packageFile: string;
  /** e.g. 29.4 */
  readonly version: string;
};

/** Installs Debian's bitcoind over the Debian tree in the cache, unless it is installed. */
export async function debianBitcoind(): Promise<DebianBitcoind> {
  const cached = await installOverTree("bitcoind");
  const name = readdirSync(cached).find((file) => file.endsWith(".deb"));
  const version = /_(\d+\.\d+)/.exec(name ?? "")?.[1];
  if (name === undefined || version === undefined) throw new Error(`${cached} contains no bitcoind package`);
  return { layer: join(cached, "layer"), packageFile: join(cached, basename(name)), version };
}

/**
 * Installs Debian's PostgreSQL over the Debian tree in the cache, unless it is installed.
 * @returns the overlay layer that contains it
 */
export async function debianPostgresql(): Promise<string> {
  return join(await installOverTree("postgresql"), "layer");
}

/**
 * Runs the script with this name, which installs a program into a tree.
 * @returns a folder with the overlay `layer` of the program, and with what the script kept
 */
async function installOverTree(program: string): Promise<string> {
  const lower = await debianTree();
  const script = `${program}.sh`;
  const cached = join(cacheDir(), `${program}-debian-${recipeDigest("customize.sh", script)}`);
  if (existsSync(cached)) return cached;
  await createOnce(cached, async (temporary) => {
    for (const name of ["layer", "work", "tree"]) mkdirSync(join(temporary, name));
    const commands = [
      'mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/layer,workdir=$2/work" "$2/tree"',
      'mount -t proc proc "$2/tree/proc"',
      '"$3" "$2/tree" "$2"',
    ].join(" && ");
    const args = [lower, temporary, join(folder, script)];
    await runBuilder("unshare", ["--mount", "sh", "-c", commands, "sh", ...args]);
    rmSync(join(temporary, "work"), { recursive: true });
  });
  return cached;
}

async function createOnce(target: string, create: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${target}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    await create(temporary);
    // Another process may have created the same folder in the meantime.
    if (!existsSync(target)) renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function runBuilder(command: string, args: string[]): Promise<void> {
  const result = await execa(command, args, { all: true, reject: false, stdin: "ignore" });
  if (result.exitCode === 0) return;
  if (result.code === "ENOENT")
    throw new EclairAmiError(
      {
        code: "lab.prerequisites-missing",
        operation: "building the Debian file system of the lab",
        message: `${command} is not installed`,
        remedy: "run `npm start` or `npm test`: both install what the lab needs",
      },
      { cause: result },
    );
  throw new EclairAmiError(
    {
      code: "lab.debian",
      operation: "building the Debian file system of the lab",
      message: `${command} ended with ${result.signal ?? result.exitCode}:\n${(result.all ?? "").split("\n").slice(-8).join("\n")}`,
      remedy: "check that this machine can reach Debian's package mirror, then run the command again",
    },
    { cause: result },
  );
}
