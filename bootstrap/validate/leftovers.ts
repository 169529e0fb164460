import type { Entry } from "./tree.ts";
import type { Finding, Stage } from "./findings.ts";

type Rule = {
  readonly check: string;
  readonly problem: string;
  readonly matches: (entry: Entry) => boolean;
  /** Whether a booted instance has it by right. */
  readonly instanceMayHave?: boolean;
};

const below =
  (...folders: string[]) =>
  (entry: Entry) =>
    !entry.stats.isDirectory() && folders.some((folder) => entry.path.startsWith(`${folder}/`));
const named = (pattern: RegExp) => (entry: Entry) => pattern.test(entry.path) && !entry.stats.isDirectory();
const filled = (pattern: RegExp) => (entry: Entry) => named(pattern)(entry) && entry.stats.size > 0;

/** What is known by its place. `packer/provision/80-cleanup.sh` removes the same. */
const rules: readonly Rule[] = [
  {
    check: "machine-id",
    problem: "every instance would have the same machine id",
    matches: filled(/^\/(etc|var\/lib\/dbus)\/machine-id$/),
    instanceMayHave: true,
  },
  {
    check: "host-key",
    problem: "every instance would have the same SSH host key",
    matches: named(/^\/etc\/ssh\/ssh_host_/),
    instanceMayHave: true,
  },
  {
    check: "authorized-keys",
    problem: "whoever holds the key could log in to every instance",
    matches: named(/\/\.ssh\/(authorized_keys|id_)/),
    instanceMayHave: true,
  },
  {
    check: "cloud-init-state",
    problem: "cloud-init would believe that it ran already",
    matches: below("/var/lib/cloud"),
    instanceMayHave: true,
  },
  {
    check: "random-seed",
    problem: "every instance would begin with the same randomness",
    matches: named(/^\/var\/lib\/systemd\/random-seed$/),
    instanceMayHave: true,
  },
  {
    check: "log",
    problem: "it tells of the build, not of the instance",
    matches: (entry) => entry.stats.isFile() && entry.stats.size > 0 && below("/var/log")(entry),
    instanceMayHave: true,
  },
  {
    check: "shell-history",
    problem: "it holds commands of the build",
    matches: filled(/\/\.(bash|python|psql|lesshst|node_repl|zsh)_?(history)?$/),
  },
  {
    check: "package-list",
    problem: "it is old the next day and makes the image larger",
    matches: (entry) => below("/var/lib/apt/lists", "/var/cache/apt")(entry) && !entry.path.endsWith("/lock"),
  },
  {
    check: "seed",
    problem: "a node's seed, or a file that Eclair would take for one",
    matches: named(/\/(node_seed|channel_seed|seed)\.dat$|\/eclair-signer\.conf$/),
  },
  {
    check: "wallet",
    problem: "a bitcoind wallet, or a file that bitcoind would take for one",
    matches: named(/\/wallet\.dat$|\/wallets\/.*\.dat$/),
  },
  {
    check: "core-dump",
    problem: "it may hold secrets out of a process' memory",
    matches: named(
      /\/core(\.\d+)?$|\/(java_pid\d+|[^/]*)\.hprof$|\/hs_err_pid\d+\.log$|^\/var\/(crash|lib\/systemd\/coredump)\//,
    ),
  },
  {
    check: "aws-credentials",
    problem: "an instance has its role, and no credentials on its disk",
    matches: named(/\/\.aws\/(credentials|config)$/),
  },
  {
    check: "swap",
    problem: "what is swapped out is on the disk",
    matches: named(/\.swap$|\/swapfile$|\/swap\.img$/),
  },
  {
    check: "temporary",
    problem: "it was left by the build",
    matches: (entry) =>
      below("/tmp", "/var/tmp", "/root/.cache")(entry) && !entry.path.includes("/systemd-private-"),
    instanceMayHave: true,
  },
];

/** systemd ships units of this name's ending as part of its own work. */
const systemdOwn = /^\/usr\/lib\/systemd\//;
/** Kept by Debian's packages under names that look like a dump's. */
const notADump = /^\/(usr|etc|opt)\/|^\/var\/lib\/dpkg\//;

export function leftover(entry: Entry, stage: Stage): Finding | undefined {
  for (const rule of rules) {
    if (stage === "instance" && rule.instanceMayHave === true) continue;
    if (!rule.matches(entry)) continue;
    if (rule.check === "swap" && systemdOwn.test(entry.path)) continue;
    if (rule.check === "core-dump" && notADump.test(entry.path)) continue;
    return { check: rule.check, path: entry.path, problem: rule.problem };
  }
  return undefined;
}
