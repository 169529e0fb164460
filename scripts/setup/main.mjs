// `npm start` and `npm test` begin here: set up what is missing, then go on under the project's own Node.
import { spawnSync } from "node:child_process";
import { nodeBinary, root } from "./places.mjs";
import { preconditions } from "./preconditions.mjs";
import { steps } from "./steps.mjs";

const wrongUse = 2;

/** @param {("lab" | "tests")[]} also what is to be set up beside what is always needed */
function setUp(...also) {
  const needs = new Set(["always", ...also]);
  const wanted = (/** @type {{ needed: "always" | "lab" | "tests" }} */ item) => needs.has(item.needed);
  const unmet = preconditions.filter(wanted).flatMap((item) => {
    const problem = item.missing();
    return problem === undefined
      ? []
      : [`${item.title} is needed, but ${problem}.\n  To do: ${item.remedy}.`];
  });
  if (unmet.length > 0) {
    console.error(`Nothing was changed.\n${unmet.join("\n")}`);
    process.exit(wrongUse);
  }
  for (const step of steps.filter(wanted)) {
    if (step.done()) continue;
    const started = Date.now();
    console.log(`set-up: ${step.title} …`);
    step.run();
    console.log(`set-up: ${step.title}: done in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  }
}

/** @param {string[]} args @param {Record<string, string>} [env] */
function goOn(args, env = {}) {
  const result = spawnSync(nodeBinary, args, {
    stdio: "inherit",
    cwd: root,
    env: { ...process.env, ...env },
  });
  process.exit(result.status ?? (result.signal === "SIGINT" ? 130 : 1));
}

const [task, ...rest] = process.argv.slice(2);
try {
  if (task === "start") {
    setUp("lab");
    goOn(["scripts/cli.ts", "start", ...rest]);
  } else if (task === "test") {
    const lab = process.getuid?.() === 0 && process.platform === "linux";
    if (!lab)
      console.log(
        "Not root on Linux: the end-to-end tests are left out, and nothing outside this checkout is touched.",
      );
    if (lab) setUp("lab", "tests");
    else setUp();
    goOn(["scripts/check.ts", ...rest], lab ? { ECLAIR_AMI_E2E: "1" } : {});
  } else {
    console.error("usage: node scripts/setup/main.mjs start|test");
    process.exit(wrongUse);
  }
} catch (error) {
  console.error(`set-up stopped: ${error instanceof Error ? error.message : String(error)}`);
  console.error("It can be run again: what was done is kept.");
  process.exit(1);
}
