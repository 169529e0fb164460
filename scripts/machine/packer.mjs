import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPackages } from "./debian-packages.mjs";
import { cacheDir, packerDir, root } from "./paths.mjs";
import { hasVersion, run } from "./run.mjs";

/** @type {readonly [number, number]} */
const minimumGo = [1, 24];
/** @type {readonly [number, number]} */
const minimumPacker = [1, 11];
const goToolchain = "1.24.9";

/** Whether PATH contains a suitable Packer. This Packer installs its amazon plugin by itself. */
export const isPackerOnPath = () => hasVersion("packer", ["version"], /v(\d+)\.(\d+)/, minimumPacker);

/** Whether the cache contains the Packer of the pinned tools module. */
export const isPackerBuilt = () => existsSync(join(packerDir(), "packer"));

/** Builds Packer and its amazon plugin from the pinned tools module, and installs the plugin for this Packer. */
export function buildPacker() {
  const go = findGo();
  createFolderAtomically(packerDir(), (folder) => {
    const env = { ...process.env, GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", CGO_ENABLED: "0" };
    run(go, ["build", "-trimpath", "-ldflags=-s -w", "-o", `${folder}/`, "tool"], {
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

/** @param {string} go */
const isGoNewEnough = (go) => hasVersion(go, ["env", "GOVERSION"], /go(\d+)\.(\d+)/, minimumGo);

/**
 * A Go that supports `tool` directives: the Go on PATH, Debian's Go, or the toolchain module that an older Go downloads.
 * @returns the command
 */
function findGo() {
  if (isGoNewEnough("go")) return "go";
  if (spawnSync("go", ["version"]).status !== 0) {
    if (process.getuid?.() !== 0)
      throw new Error("PATH contains neither Packer 1.11 nor Go 1.24: install one of them");
    installPackages(["golang-go"]);
    if (isGoNewEnough("go")) return "go";
  }
  return downloadGoToolchain();
}

/** Downloads the module golang.org/toolchain with a Go that is too old to change its toolchain by itself. */
function downloadGoToolchain() {
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  const version = `v0.0.1-go${goToolchain}.linux-${arch}`;
  const folder = join(cacheDir(), "go-toolchain");
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOMODCACHE: folder, GOFLAGS: "-modcacherw" };
  const result = spawnSync("go", ["mod", "download", "-json", `golang.org/toolchain@${version}`], {
    encoding: "utf8",
    env,
  });
  const toolchain = /"Dir": "([^"]+)"/.exec(result.stdout)?.[1];
  if (!toolchain) throw new Error(`the Go toolchain cannot be downloaded: ${result.stderr}${result.stdout}`);
  // A module contains no executable bits.
  run("sh", ["-c", `chmod +x ${toolchain}/bin/* ${toolchain}/pkg/tool/*/*`]);
  return join(toolchain, "bin/go");
}

/**
 * Creates a folder that appears only when it is complete.
 * @param {string} folder
 * @param {(temporary: string) => void} fill
 */
function createFolderAtomically(folder, fill) {
  const temporary = `${folder}.${process.pid}`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    fill(temporary);
    // Another process may have created the folder in the meantime.
    if (existsSync(folder)) return;
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
