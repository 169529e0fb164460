// The entry point of `npm start`, `npm test`, `npm run check` and `npm run test:e2e`: installs missing prerequisites, then
// runs the task with the project's own Node.
import { spawnSync } from "node:child_process";
import { childEnvironment } from "./environment.mjs";
import { nodeBinary, root } from "./paths.mjs";
import { preconditions } from "./preconditions.mjs";
import { installSteps } from "./steps.mjs";

const invalidInput = 2;

/** @param {("lab" | "tests")[]} parts the parts to install in addition to the prerequisites of every command */
function installPrerequisites(...parts) {
  const needed = new Set(["always", ...parts]);
  const isNeeded = (/** @type {{ neededBy: "always" | "lab" | "tests" }} */ item) =>
    needed.has(item.neededBy);
  const problems = preconditions.filter(isNeeded).flatMap((item) => {
    const problem = item.problem();
    return problem === undefined
      ? []
      : [`Required: ${item.title}. Problem: ${problem}.\n  To do: ${item.remedy}.`];
  });
  if (problems.length > 0) {
    console.error(`Nothing was changed.\n${problems.join("\n")}`);
    process.exit(invalidInput);
  }
  for (const step of installSteps.filter(isNeeded)) {
    if (step.isDone()) continue;
    const startedAt = Date.now();
    console.log(`installing: ${step.title} …`);
    step.run();
    console.log(`installed: ${step.title} in ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
  }
}

/** @param {string[]} args @param {Record<string, string>} [env] */
function runWithProjectNode(args, env = {}) {
  const result = spawnSync(nodeBinary, args, {
    stdio: "inherit",
    cwd: root,
    env: { ...childEnvironment(process.stdout.isTTY), ...env },
  });
  process.exit(result.status ?? (result.signal === "SIGINT" ? 130 : 1));
}

const endToEnd = { ECLAIR_AMI_E2E: "1" };
const canRunLab = process.getuid?.() === 0 && process.platform === "linux";

/** @type {Readonly<Record<string, (args: string[]) => void>>} */
const tasks = {
  start(args) {
    installPrerequisites("lab");
    runWithProjectNode(["scripts/cli.ts", "start", ...args]);
  },
  check(args) {
    installPrerequisites();
    runWithProjectNode(["scripts/machine/check.ts", ...args]);
  },
  test(args) {
    if (!canRunLab) {
      console.log(
        "The end-to-end tests need root on Linux and are skipped. Nothing outside this checkout is changed.",
      );
      return tasks["check"]?.(args);
    }
    installPrerequisites("lab", "tests");
    runWithProjectNode(["scripts/machine/check.ts", ...args], endToEnd);
  },
  "test:e2e"(args) {
    installPrerequisites("lab", "tests");
    runWithProjectNode(["node_modules/vitest/vitest.mjs", "run", "--project", "e2e", ...args], endToEnd);
  },
};

const [name = "", ...args] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) {
  console.error(`usage: node scripts/machine/main.mjs ${Object.keys(tasks).join("|")}`);
  process.exit(invalidInput);
}
try {
  task(args);
} catch (error) {
  console.error(`the installation failed: ${error instanceof Error ? error.message : String(error)}`);
  console.error("To do: correct the cause and run the command again. It continues with the failed step.");
  process.exit(1);
}
