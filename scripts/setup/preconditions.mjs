// What a machine must offer before anything on it is changed. `doctor` shows the same list.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { cacheDir, root } from "./places.mjs";

/**
 * @typedef {object} Precondition
 * @property {string} title
 * @property {"always" | "lab"} needed whether every command needs it, or only those that use the lab
 * @property {() => string | undefined} missing what is wrong, or undefined when it is met
 * @property {string} remedy
 */

const gigabyte = 1024 ** 3;
const minimumFreeGigabytes = 8;

/** @param {string} command @param {...string} args */
function works(command, ...args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** @param {string} folder */
function nearestExisting(folder) {
  let here = folder;
  while (!existsSync(here)) here = dirname(here);
  return here;
}

function debianRelease() {
  if (!existsSync("/etc/os-release")) return undefined;
  const text = readFileSync("/etc/os-release", "utf8");
  if (!/^ID=debian$/m.test(text)) return undefined;
  return Number(/^VERSION_ID="?(\d+)/m.exec(text)?.[1] ?? 0);
}

/** @type {Precondition[]} */
export const preconditions = [
  {
    title: "Node 20 or newer",
    needed: "always",
    missing: () =>
      Number(process.versions.node.split(".")[0]) >= 20 ? undefined : `this is Node ${process.versions.node}`,
    remedy: "install Node 20 or newer",
  },
  {
    title: "Linux",
    needed: "lab",
    missing: () => (process.platform === "linux" ? undefined : `this is ${process.platform}`),
    remedy: "run the lab on a Debian 12 or 13 machine; `bake --target aws` runs anywhere",
  },
  {
    title: "root",
    needed: "lab",
    missing: () => (process.getuid?.() === 0 ? undefined : `the user id is ${process.getuid?.()}`),
    remedy: "run it as root: the lab makes network namespaces, mounts and machines",
  },
  {
    title: "Debian 12 or newer",
    needed: "lab",
    missing: () => {
      const release = debianRelease();
      if (release === undefined) return "this is not Debian";
      return release >= 12 ? undefined : `this is Debian ${release}`;
    },
    remedy: "use Debian 12 or 13: set-up installs the lab's parts with apt",
  },
  {
    title: "namespaces",
    needed: "lab",
    missing: () =>
      works("unshare", "--net", "--mount", "--pid", "--fork", "true")
        ? undefined
        : "a network, mount and process namespace can't be made",
    remedy: "run it outside of a container, or in a privileged one (CAP_SYS_ADMIN)",
  },
  {
    title: "overlay and ext4 file systems",
    needed: "lab",
    missing: () => {
      const known = () => readFileSync("/proc/filesystems", "utf8");
      const lacking = ["overlay", "ext4"].filter(
        (name) => !new RegExp(`\\t${name}$`, "m").test(known()) && !works("modprobe", name),
      );
      return lacking.length === 0 ? undefined : `the kernel lacks ${lacking.join(" and ")}`;
    },
    remedy: "use a kernel with overlay and ext4",
  },
  {
    title: "loop devices",
    needed: "lab",
    missing: () => (existsSync("/dev/loop-control") ? undefined : "/dev/loop-control is missing"),
    remedy: "load the kernel's loop module, or pass /dev/loop-control into the container",
  },
  {
    title: `${minimumFreeGigabytes} GB of free disk`,
    needed: "lab",
    missing: () => {
      for (const folder of [cacheDir(), root]) {
        const { bavail, bsize } = statfsSync(nearestExisting(folder));
        const free = (bavail * bsize) / gigabyte;
        if (free < minimumFreeGigabytes) return `${free.toFixed(1)} GB free for ${folder}`;
      }
      return undefined;
    },
    remedy: "free some disk, or name a roomier cache folder with ECLAIR_AMI_CACHE",
  },
  {
    title: "a cache folder that can be written",
    needed: "lab",
    missing: () => {
      try {
        mkdirSync(cacheDir(), { recursive: true });
        return undefined;
      } catch (error) {
        return `${cacheDir()}: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    remedy: "name another one with ECLAIR_AMI_CACHE",
  },
];
