// What set-up does, in order. A step that is done already costs a look and no more.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  readFileSync,
} from "node:fs";
import { join } from "node:path";
import { cacheDir, lockDigest, motoDir, nodeBinary, npmStamp, packerDir, root } from "./places.mjs";

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {"always" | "lab" | "tests"} needed
 * @property {() => boolean} done
 * @property {() => void} run
 */

/** Debian packages that the tests use beside the lab's: a browser, to look at reports as people do. */
const testPackages = ["chromium"];

/** Debian packages that the lab, the bake and the drills use on this machine. */
const labPackages = [
  "ca-certificates",
  "default-jdk-headless",
  "dnsmasq-base",
  "e2fsprogs",
  "haproxy",
  "iproute2",
  "libfaketime",
  "libbcprov-java",
  "libhikaricp-java",
  "libjackson2-databind-java",
  "liblogback-java",
  "libpostgresql-jdbc-java",
  "libtypesafe-config-java",
  "mmdebstrap",
  "nftables",
  "openssh-client",
  "openssl",
  "postgresql",
  "python3-venv",
  "shellcheck",
  "systemd-container",
  "tini",
  "util-linux",
];

const minimumGo = [1, 24];
const minimumPacker = [1, 11];

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} [options]
 */
function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    ...options,
  });
  if (result.status === 0) return;
  const said = [result.stdout, result.stderr].map(String).join("").trim().split("\n").slice(0, 40).join("\n");
  throw new Error(
    `${command} ${args.join(" ")} failed${result.error ? `: ${result.error.message}` : ""}\n${said}`,
  );
}

/** @param {string} command @param {string[]} args @param {RegExp} pattern @param {number[]} minimum */
function hasVersion(command, args, pattern, minimum) {
  const result = spawnSync(command, args, { encoding: "utf8" });
  if (result.status !== 0) return false;
  const found = pattern.exec(result.stdout);
  if (!found) return false;
  const [major = 0, minor = 0] = found.slice(1).map(Number);
  return major > (minimum[0] ?? 0) || (major === minimum[0] && minor >= (minimum[1] ?? 0));
}

/** @param {string} go */
const goIsNewEnough = (go) => hasVersion(go, ["env", "GOVERSION"], /go(\d+)\.(\d+)/, minimumGo);

/** Whether the Packer on PATH will do; its amazon plugin is then Packer's own to install. */
export const packerOnPath = () => hasVersion("packer", ["version"], /v(\d+)\.(\d+)/, minimumPacker);

export const packerBuilt = () => existsSync(join(packerDir(), "packer"));

/**
 * A Go that knows `tool` directives: from PATH, or the toolchain module that an older Go fetches,
 * or Debian's Go of a newer release.
 */
function findGo() {
  if (goIsNewEnough("go")) return { command: "go", env: {} };
  if (spawnSync("go", ["version"]).status !== 0) {
    if (process.getuid?.() !== 0) {
      throw new Error("Packer 1.11 or Go 1.24 is needed on PATH: install one of them");
    }
    run("apt-get", ["install", "--yes", "--no-install-recommends", "golang-go"], aptOptions());
    if (goIsNewEnough("go")) return { command: "go", env: {} };
  }
  return { command: fetchGoToolchain(), env: {} };
}

/** Go's own toolchain, as the module golang.org/toolchain, through a Go too old to switch by itself. */
function fetchGoToolchain() {
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  const version = `v0.0.1-go1.24.9.linux-${arch}`;
  const folder = join(cacheDir(), "go-toolchain");
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOMODCACHE: folder, GOFLAGS: "-modcacherw" };
  const result = spawnSync("go", ["mod", "download", "-json", `golang.org/toolchain@${version}`], {
    encoding: "utf8",
    env,
  });
  const found = /"Dir": "([^"]+)"/.exec(result.stdout)?.[1];
  if (!found) throw new Error(`the Go toolchain can't be had: ${result.stderr}${result.stdout}`);
  // The module proxy strips the executable bits.
  run("sh", ["-c", `chmod +x ${found}/bin/* ${found}/pkg/tool/*/*`]);
  return join(found, "bin/go");
}

function aptOptions() {
  return { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
}

/** @param {readonly string[]} names */
function missing(names) {
  const result = spawnSync("dpkg-query", ["-W", "-f=${Package} ${db:Status-Status}\n", ...names], {
    encoding: "utf8",
  });
  const installed = new Set(
    result.stdout
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/**
 * @param {string} title
 * @param {Step["needed"]} needed
 * @param {readonly string[]} names
 * @returns {Step}
 */
function debianPackages(title, needed, names) {
  return {
    title,
    needed,
    done: () => missing(names).length === 0,
    run: () => {
      run("apt-get", ["update", "--quiet"], aptOptions());
      run("apt-get", ["install", "--yes", "--no-install-recommends", ...missing(names)], aptOptions());
    },
  };
}

/** @param {string} folder @param {(temporary: string) => void} make */
function atomically(folder, make) {
  const temporary = `${folder}.${process.pid}`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    make(temporary);
    if (existsSync(folder)) return;
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** @type {Step[]} */
export const steps = [
  {
    title: "npm packages from the lock file",
    needed: "always",
    done: () =>
      existsSync(npmStamp) && readFileSync(npmStamp, "utf8") === lockDigest() && existsSync(nodeBinary),
    run: () => {
      run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root });
      if (!existsSync(nodeBinary)) run("npm", ["rebuild", "node", "bun"], { cwd: root });
      writeFileSync(npmStamp, lockDigest());
    },
  },
  debianPackages("Debian packages", "lab", labPackages),
  debianPackages("Debian packages of the tests", "tests", testPackages),
  {
    title: "moto, the AWS APIs of the lab",
    needed: "lab",
    done: () => existsSync(join(motoDir(), "complete")),
    run: () => {
      // A virtual environment holds its own path, so it can't be made elsewhere and moved.
      rmSync(motoDir(), { recursive: true, force: true });
      run("/usr/bin/python3", ["-m", "venv", motoDir()]);
      run(
        join(motoDir(), "bin/pip"),
        ["install", "--quiet", "--no-deps", "--requirement", "tools/moto/requirements.txt"],
        {
          cwd: root,
        },
      );
      writeFileSync(join(motoDir(), "complete"), "");
    },
  },
  {
    title: "Packer and its amazon plugin",
    needed: "lab",
    done: () => packerBuilt() || packerOnPath(),
    run: buildPacker,
  },
];

/** Packer and its amazon plugin from the pinned tools module, and the plugin installed where Packer looks. */
export function buildPacker() {
  const go = findGo();
  atomically(packerDir(), (folder) => {
    const env = {
      ...process.env,
      ...go.env,
      GOFLAGS: "-mod=readonly",
      GOTOOLCHAIN: "local",
      CGO_ENABLED: "0",
    };
    run(go.command, ["build", "-trimpath", "-ldflags=-s -w", "-o", `${folder}/`, "tool"], {
      cwd: join(root, "tools/packer"),
      env,
    });
    const plugins = { ...process.env, PACKER_PLUGIN_PATH: join(folder, "plugins"), CHECKPOINT_DISABLE: "1" };
    run(
      join(folder, "packer"),
      ["plugins", "install", "--path", join(folder, "packer-plugin-amazon"), "github.com/hashicorp/amazon"],
      { env: plugins },
    );
    rmSync(join(folder, "packer-plugin-amazon"));
    copyFileSync(join(root, "tools/packer/go.mod"), join(folder, "go.mod"));
  });
}
