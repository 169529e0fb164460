// `npm run check` and `npm test`: format, lint, types and shell scripts, then the tests. The end-to-end tests run when the
// environment variable ECLAIR_AMI_E2E is 1.
import { globSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa, execaSync } from "execa";
import { z } from "zod";
import { nodeBinary, root } from "./paths.mjs";

type Check = { readonly title: string; readonly command: readonly [string, ...string[]] };

const bin = (name: string) => join(root, "node_modules/.bin", name);

function checks(): readonly Check[] {
  const shellScripts = globSync(
    ["packer/**/*.sh", "packer/rootfs/opt/eclair/bin/eclair-run", "scripts/**/*.sh"],
    { cwd: root },
  );
  return [
    { title: "format", command: [bin("oxfmt"), "--check", "."] },
    { title: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings"] },
    { title: "types", command: [bin("tsc")] },
    ...(isInstalled("shellcheck")
      ? [{ title: "shell scripts", command: ["shellcheck", ...shellScripts] } satisfies Check]
      : []),
  ];
}

function isInstalled(program: string): boolean {
  return execaSync("which", [program], { reject: false }).exitCode === 0;
}

/** Prints the result of a check. @returns whether the check passed */
async function runCheck({ title, command: [program, ...args] }: Check): Promise<boolean> {
  const result = await execa(program, args, { cwd: root, reject: false, all: true });
  const passed = result.exitCode === 0;
  console.log(`${passed ? "ok  " : "FAIL"} ${title}`);
  if (!passed) console.log(result.all);
  return passed;
}

const Counts = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
});

/** Runs the tests. @returns whether all tests passed */
async function runTests(args: readonly string[]): Promise<boolean> {
  const report = join(tmpdir(), `eclair-ami-tests-${process.pid}.json`);
  const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", ...args];
  const env = { ECLAIR_AMI_TEST_REPORT: report };
  const result = await execa(nodeBinary, vitest, { cwd: root, env, reject: false, stdio: "inherit" });
  try {
    const counts = Counts.parse(JSON.parse(readFileSync(report, "utf8")));
    console.log(
      `${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${counts.numPendingTests} skipped`,
    );
  } finally {
    rmSync(report, { force: true });
  }
  return result.exitCode === 0;
}

// The tests wait a lot, so the checks run at the same time.
const [passed, ...checked] = await Promise.all([runTests(process.argv.slice(2)), ...checks().map(runCheck)]);
process.exitCode = checked.every(Boolean) && passed ? 0 : 1;
