import { spawnSync } from "node:child_process";
import { run } from "./run.mjs";

/** @returns {import("node:child_process").SpawnSyncOptions} */
function aptOptions() {
  return { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
}

/** @param {readonly string[]} names */
export function missingPackages(names) {
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

export function updatePackageLists() {
  run("apt-get", ["update", "--quiet"], aptOptions());
}

/** @param {readonly string[]} names */
export function installPackages(names) {
  run("apt-get", ["install", "--yes", "--no-install-recommends", ...names], aptOptions());
}
