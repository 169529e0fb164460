import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { Failure, messageOf } from "../core/failure.ts";
import { packerDir, root } from "../setup/places.mjs";
import { buildPacker, packerBuilt, packerOnPath } from "../setup/steps.mjs";
import type { Target } from "../target/target.ts";
import { isForManifest, isGivingUp, parsePackerLine, phaseOf, type PackerEvent } from "./packer-output.ts";
import { Stopwatch } from "./stopwatch.ts";

export type PackerResult = {
  readonly imageId: string;
  /** Every line that a person would have seen. */
  readonly lines: readonly string[];
};

const builtPacker = () => join(packerDir(), "packer");

/** The Packer to run and its environment: the one that set-up built, else PATH's with its own plugins. */
export function packerCommand(): { readonly command: string; readonly env: Record<string, string> } {
  // CHECKPOINT_DISABLE: Packer asks nobody whether there is a newer one.
  if (!packerBuilt()) return { command: "packer", env: { CHECKPOINT_DISABLE: "1" } };
  return {
    command: builtPacker(),
    env: { CHECKPOINT_DISABLE: "1", PACKER_PLUGIN_PATH: join(packerDir(), "plugins") },
  };
}

/** Makes sure of a Packer with its amazon plugin: the one of set-up, or PATH's, or one built with PATH's Go. */
export async function preparePacker(): Promise<void> {
  if (packerBuilt()) return;
  if (packerOnPath()) {
    await execa("packer", ["init", join(root, "packer")], { env: { CHECKPOINT_DISABLE: "1" } });
    return;
  }
  try {
    buildPacker();
  } catch (error) {
    throw new Failure({
      code: "bake.packer-missing",
      doing: "looking for Packer",
      cause: `Packer 1.11 or newer is neither built nor on PATH, and can't be built: ${messageOf(error)}`,
      remedy: "install Packer, or Go 1.24 or newer, and put it on PATH",
      exit: 2,
    });
  }
}

export type PackerRun = {
  readonly target: Target;
  readonly variables: Readonly<Record<string, string>>;
  readonly keepOnFailure: boolean;
  readonly logFile: string;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
};

const linesThatMatter = 15;

/** `packer build` of the one template; its output drives the progress. */
export async function packerBuild(run: PackerRun): Promise<PackerResult> {
  const { command, env } = packerCommand();
  run.signal.throwIfAborted();
  const awsEnv = run.target.name === "lab" ? { AWS_ACCESS_KEY_ID: "lab", AWS_SECRET_ACCESS_KEY: "lab" } : {};
  const argv = [
    ...run.target.reach,
    command,
    "build",
    "-machine-readable",
    `-on-error=${run.keepOnFailure ? "abort" : "cleanup"}`,
    ...Object.entries(run.variables).flatMap(([name, value]) => ["-var", `${name}=${value}`]),
    join(root, "packer"),
  ];
  const child = execa(argv[0] as string, argv.slice(1), {
    env: { ...env, ...awsEnv },
    all: true,
    buffer: false,
    reject: false,
    stdin: "ignore",
    // A group of its own: Ctrl-C reaches it once, from here, and it cleans up.
    detached: true,
  });
  const interrupt = () => child.kill("SIGINT");
  run.signal.addEventListener("abort", interrupt, { once: true });

  const log = createWriteStream(run.logFile, { flags: "a", mode: 0o600 });
  // The log is a help: a disk too full for it must not end the bake without cleaning up.
  log.on("error", (error) => run.onLine(`the log can't be written: ${error.message}`));
  const lines: string[] = [];
  let failure: Failing | undefined;
  let imageId: string | undefined;
  for await (const line of child.iterable({ from: "all" })) {
    log.write(`${line}\n`);
    const event = parsePackerLine(line);
    if (event === undefined) continue;
    if (event.kind === "artifact") imageId = event.imageId;
    else show(event);
  }
  const result = await child;
  log.end();
  run.signal.removeEventListener("abort", interrupt);
  run.stopwatch.stop();
  // What an interrupt means to a bake is said once, by who cleans up after it.
  run.signal.throwIfAborted();
  if (result.exitCode === 0 && imageId !== undefined) return { imageId, lines };
  throw packerFailed(result.signal ?? `exit code ${result.exitCode}`, failure ?? failing(lines, run), run);

  function show(event: Exclude<PackerEvent, { kind: "artifact" }>): void {
    for (const text of event.text.split("\n").map(plain).filter(Boolean)) {
      lines.push(text);
      if (isGivingUp(text)) failure ??= failing(lines, run);
      const phase = phaseOf(text);
      if (phase !== undefined) run.stopwatch.begin(phase);
      if (!isForManifest(text)) run.onLine(text);
    }
  }
}

/** Without the builder's name and the marks before a line. */
function plain(text: string): string {
  return text.replace(/^(?:==> |\s{4})?(?:amazon-ebs\.eclair: )?/, "").trimEnd();
}

/** Where a build was when it gave up, and what it had said last: the cleaning up after it says nothing of the cause. */
type Failing = { readonly phase: string; readonly lines: readonly string[] };

function failing(lines: readonly string[], run: PackerRun): Failing {
  return {
    phase: run.stopwatch.last ?? "start",
    lines: lines.filter((line) => !isForManifest(line)).slice(-linesThatMatter),
  };
}

function packerFailed(how: string, { phase, lines }: Failing, run: PackerRun): Failure {
  return new Failure({
    code: "bake.packer",
    doing: `baking, in the phase "${phase}"`,
    cause: `Packer ended with ${how}; the last lines before:\n${lines.map((line) => `  ${line}`).join("\n")}`,
    remedy: `mend what the lines say and bake again; the whole log is ${run.logFile}; with --keep the builder stays for a look`,
  });
}
