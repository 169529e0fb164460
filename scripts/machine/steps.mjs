// The prerequisites that `npm start` and `npm test` install, in order.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installPackages, missingPackages, updatePackageLists } from "./debian-packages.mjs";
import { buildPacker, isPackerBuilt, isPackerOnPath } from "./packer.mjs";
import { lockDigest, motoDir, nodeBinary, npmStamp, root } from "./paths.mjs";
import { run } from "./run.mjs";

/**
 * @typedef {object} InstallStep
 * @property {string} title
 * @property {"always" | "lab" | "tests"} neededBy every command, the commands that use the lab, or only `npm test`
 * @property {() => boolean} isDone fast, because each start calls it
 * @property {() => void} run
 */

/** Only the tests need these packages: a browser shows the reports. */
const testPackages = ["chromium"];

/** The lab, the bake and the drills need these packages on this machine. */
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
  "python3-venv",
  "shellcheck",
  "systemd-container",
  "tini",
  "util-linux",
  "wrk",
];

/** @type {readonly InstallStep[]} */
export const installSteps = [
  {
    title: "npm packages from the lock file",
    neededBy: "always",
    isDone: () =>
      existsSync(npmStamp) && readFileSync(npmStamp, "utf8") === lockDigest() && existsSync(nodeBinary),
    run: () => {
      run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root });
      if (!existsSync(nodeBinary)) run("npm", ["rebuild", "node", "bun"], { cwd: root });
      writeFileSync(npmStamp, lockDigest());
    },
  },
  debianPackages("Debian packages", "lab", labPackages),
  debianPackages("Debian packages of the tests", "tests", testPackages),
  {
    title: "moto, the AWS APIs of the lab",
    neededBy: "lab",
    isDone: () => existsSync(join(motoDir(), "complete")),
    run: installMoto,
  },
  {
    title: "Packer and its amazon plugin",
    neededBy: "lab",
    isDone: () => isPackerBuilt() || isPackerOnPath(),
    run: buildPacker,
  },
];

/**
 * @param {string} title
 * @param {InstallStep["neededBy"]} neededBy
 * @param {readonly string[]} names
 * @returns {InstallStep}
 */
function debianPackages(title, neededBy, names) {
  return {
    title,
    neededBy,
    isDone: () => missingPackages(names).length === 0,
    run: () => {
      updatePackageLists();
      installPackages(missingPackages(names));
    },
  };
}

function installMoto() {
  // A virtual environment contains its own path and cannot be moved.
  rmSync(motoDir(), { recursive: true, force: true });
  run("/usr/bin/python3", ["-m", "venv", motoDir()]);
  run(
    join(motoDir(), "bin/pip"),
    ["install", "--quiet", "--no-deps", "--requirement", "tools/moto/requirements.txt"],
    { cwd: root },
  );
  writeFileSync(join(motoDir(), "complete"), "");
}

/**
 * The command that runs an installation step.
 * @param {Pick<InstallStep, "neededBy">} step
 */
export function installCommand({ neededBy }) {
  return neededBy === "tests" ? "npm test" : "npm start";
}
