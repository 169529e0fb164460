import type { Entry } from "./tree.ts";
import type { Finding, ValidationKind } from "./findings.ts";

type Rule = {
  readonly check: string;
  readonly problem: string;
  readonly matches: (entry: Entry) => boolean;
  /** The rule applies to an image only: a booted instance creates such files. */
  readonly imageOnly?: boolean;
};

const below =
  (...folders: string[]) =>
  (entry: Entry) =>
    !entry.stats.isDirectory() && folders.some((folder) => entry.path.startsWith(`${folder}/`));
const named = (pattern: RegExp) => (entry: Entry) => pattern.test(entry.path) && !entry.stats.isDirectory();
const nonEmpty = (pattern: RegExp) => (entry: Entry) => named(pattern)(entry) && entry.stats.size > 0;

/** Files that are recognised by their path. `packer/provision/80-cleanup.sh` removes the same files. */
const rules: readonly Rule[] = [
  {
    check: "machine-id",
    problem: "every instance would have the same machine id",
    matches: nonEmpty(/^\/(etc|var\/lib\/dbus)\/machine-id$/),
    imageOnly: true,
  },
  {
    check: "host-key",
    problem: "every instance would have the same SSH host key",
    matches: named(/^\/etc\/ssh\/ssh_host_/),
    imageOnly: true,
  },
  {
    check: "authorized-keys",
    problem: "the owner of the key could log in to every instance",
    matches: named(/\/\.ssh\/(authorized_keys|id_)/),
    imageOnly: true,
  },
  {
    check: "cloud-init-state",
    problem: "cloud-init would not run on an instance",
    matches: below("/var/lib/cloud"),
    imageOnly: true,
  },
  {
    check: "network",
    problem:
      "the network is that of the build, and an instance whose metadata service does not answer would use it",
    matches: named(/^\/etc\/netplan\/50-cloud-init\.yaml$/),
    imageOnly: true,
  },
  {
    check: "random-seed",
    problem: "every instance would start with the same random seed",
    matches: named(/^\/var\/lib\/systemd\/random-seed$/),
    imageOnly: true,
  },
  {
    check: "log",
    problem: "the log is of the build, not of the instance",
    matches: (entry) => entry.stats.isFile() && entry.stats.size > 0 && below("/var/log")(entry),
    imageOnly: true,
  },
  {
    check: "shell-history",
    problem: "the history contains commands of the build",
    matches: nonEmpty(/\/\.(bash|python|psql|lesshst|node_repl|zsh)_?(history)?$/),
  },
  {
    check: "package-list",
    problem: "package lists become outdated and make the image larger",
    matches: (entry) => below("/var/lib/apt/lists", "/var/cache/apt")(entry) && !entry.path.endsWith("/lock"),
  },
  {
    check: "seed",
    problem: "the seed of a node, or a file that Eclair would use as a seed",
    matches: named(/\/(node_seed|channel_seed|seed)\.dat$|\/eclair-signer\.conf$/),
  },
  {
    check: "wallet",
    problem: "a wallet of bitcoind, or a file that bitcoind would use as a wallet",
    matches: named(/\/wallet\.dat$|\/wallets\/.*\.dat$/),
  },
  {
    check: "core-dump",
    problem: "a dump can contain secrets from the memory of a process",
    matches: named(
      /\/core(\.\d+)?$|\/(java_pid\d+|[^/]*)\.hprof$|\/hs_err_pid\d+\.log$|^\/var\/(crash|lib\/systemd\/coredump)\//,
    ),
  },
  {
    check: "aws-credentials",
    problem: "an instance uses its instance profile, and needs no credentials on its disk",
    matches: named(/\/\.aws\/(credentials|config)$/),
  },
  {
    check: "swap",
    problem: "swap writes memory, and so secrets, to the disk",
    matches: named(/\.swap$|\/swapfile$|\/swap\.img$/),
  },
  {
    check: "temporary",
    problem: "the build left this temporary file",
    matches: (entry) =>
      below("/tmp", "/var/tmp", "/root/.cache")(entry) && !entry.path.includes("/systemd-private-"),
    imageOnly: true,
  },
];

/** systemd's own files, such as `….swap` units. */
const systemdFiles = /^\/usr\/lib\/systemd\//;
/** Files of Debian's packages, whose names can be the name of a core dump. */
const packageFiles = /^\/(usr|etc|opt)\/|^\/var\/lib\/dpkg\//;

export function findLeftover(entry: Entry, kind: ValidationKind): Finding | undefined {
  for (const rule of rules) {
    if (kind === "instance" && rule.imageOnly === true) continue;
    if (!rule.matches(entry)) continue;
    if (rule.check === "swap" && systemdFiles.test(entry.path)) continue;
    if (rule.check === "core-dump" && packageFiles.test(entry.path)) continue;
    return { check: rule.check, path: entry.path, problem: rule.problem };
  }
  return undefined;
}
