// What `npm test` runs once set-up is done: format, lint, types, shell, then the tests.
import { globSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { nodeBinary, root } from "./setup/places.mjs";

const bin = (name: string) => join(root, "node_modules/.bin", name);

type Check = { readonly title: string; readonly command: readonly [string, ...string[]] };

const shellScripts = globSync(
  ["packer/**/*.sh", "packer/rootfs/opt/eclair/bin/eclair-run", "scripts/**/*.sh"],
  {
    cwd: root,
  },
);

const checks: readonly Check[] = [
  { title: "format", command: [bin("oxfmt"), "--check", "."] },
  { title: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings"] },
  { title: "types", command: [bin("tsc")] },
  ...(isThere("shellcheck")
    ? [{ title: "shell scripts", command: ["shellcheck", ...shellScripts] } satisfies Check]
    : []),
];

let failed = false;
for (const { title, command } of checks) {
  const [program, ...args] = command;
  const result = execaSync(program, args, { cwd: root, reject: false, all: true });
  console.log(`${result.exitCode === 0 ? "ok  " : "FAIL"} ${title}`);
  if (result.exitCode === 0) continue;
  failed = true;
  console.log(result.all);
}

const report = join(tmpdir(), `eclair-ami-tests-${process.pid}.json`);
const tests = execaSync(
  nodeBinary,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, reject: false, stdio: "inherit" },
);
try {
  const counts = JSON.parse(readFileSync(report, "utf8")) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
  };
  console.log(
    `${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${counts.numPendingTests} skipped`,
  );
} finally {
  rmSync(report, { force: true });
}
process.exitCode = failed || tests.exitCode !== 0 ? 1 : 0;

function isThere(program: string): boolean {
  return execaSync("which", [program], { reject: false }).exitCode === 0;
}
