// What a machine must provide before anything is installed. `doctor` shows the same list.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { cacheDir, root } from "./paths.mjs";

/**
 * @typedef {object} Precondition
 * @property {string} title
 * @property {"always" | "lab"} neededBy every command, or the commands that use the lab
 * @property {() => string | undefined} problem undefined when the machine meets the precondition
 * @property {string} remedy
 */

const gigabyte = 1024 ** 3;
const minimumFreeGigabytes = 8;
const minimumNode = 20;
const minimumDebian = 12;

/** @param {string} command @param {...string} args */
function succeeds(command, ...args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** @param {string} folder */
function nearestExistingFolder(folder) {
  let current = folder;
  while (!existsSync(current)) current = dirname(current);
  return current;
}

function debianRelease() {
  if (!existsSync("/etc/os-release")) return undefined;
  const text = readFileSync("/etc/os-release", "utf8");
  if (!/^ID=debian$/m.test(text)) return undefined;
  return Number(/^VERSION_ID="?(\d+)/m.exec(text)?.[1] ?? 0);
}

/** @type {readonly Precondition[]} */
export const preconditions = [
  {
    title: "Node 20 or newer",
    neededBy: "always",
    problem: () =>
      Number(process.versions.node.split(".")[0]) >= minimumNode
        ? undefined
        : `this is Node ${process.versions.node}`,
    remedy: "install Node 20 or newer",
  },
  {
    title: "Linux",
    neededBy: "lab",
    problem: () => (process.platform === "linux" ? undefined : `this is ${process.platform}`),
    remedy: "run the lab on a Debian 12 or 13 machine; `bake --target aws` runs on every platform",
  },
  {
    title: "root",
    neededBy: "lab",
    problem: () => (process.getuid?.() === 0 ? undefined : `the user id is ${process.getuid?.()}`),
    remedy: "run the command as root: the lab creates network namespaces, mounts and machines",
  },
  {
    title: "Debian 12 or newer",
    neededBy: "lab",
    problem: () => {
      const release = debianRelease();
      if (release === undefined) return "this is not Debian";
      return release >= minimumDebian ? undefined : `this is Debian ${release}`;
    },
    remedy: "use Debian 12 or 13: the prerequisites of the lab are installed with apt",
  },
  {
    title: "namespaces",
    neededBy: "lab",
    problem: () =>
      succeeds("unshare", "--net", "--mount", "--pid", "--fork", "true")
        ? undefined
        : "network, mount and process namespaces cannot be created",
    remedy: "run the command outside a container, or in a privileged container (CAP_SYS_ADMIN)",
  },
  {
    title: "overlay and ext4 file systems",
    neededBy: "lab",
    problem: () => {
      const supported = () => readFileSync("/proc/filesystems", "utf8");
      const missing = ["overlay", "ext4"].filter(
        (name) => !new RegExp(`\\t${name}$`, "m").test(supported()) && !succeeds("modprobe", name),
      );
      return missing.length === 0 ? undefined : `the kernel does not support ${missing.join(" and ")}`;
    },
    remedy: "use a kernel with overlay and ext4",
  },
  {
    title: "loop devices",
    neededBy: "lab",
    problem: () => (existsSync("/dev/loop-control") ? undefined : "/dev/loop-control is missing"),
    remedy: "load the kernel module loop, or pass /dev/loop-control into the container",
  },
  {
    title: `${minimumFreeGigabytes} GB of free disk space`,
    neededBy: "lab",
    problem: () => {
      for (const folder of [cacheDir(), root]) {
        const { bavail, bsize } = statfsSync(nearestExistingFolder(folder));
        const free = (bavail * bsize) / gigabyte;
        if (free < minimumFreeGigabytes) return `${folder} has ${free.toFixed(1)} GB of free space`;
      }
      return undefined;
    },
    remedy: "free disk space, or name a cache folder on a larger disk with ECLAIR_AMI_CACHE",
  },
  {
    title: "a writable cache folder",
    neededBy: "lab",
    problem: () => {
      try {
        mkdirSync(cacheDir(), { recursive: true });
        return undefined;
      } catch (error) {
        return `${cacheDir()}: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    remedy: "name another folder with ECLAIR_AMI_CACHE",
  },
];
