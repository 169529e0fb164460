import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { EclairAmiError } from "../../../../bootstrap/contract/errors.ts";
import { root } from "../../../machine/paths.mjs";
import type { Target } from "../../../target/target.ts";
import type { Stopwatch } from "../stopwatch.ts";
import { packerCommand } from "./command.ts";
import { isFailureLine, isForManifest, parsePackerLine, phaseOf, type PackerEvent } from "./output.ts";

export type PackerResult = {
  readonly imageId: string;
  /** Every line that Packer shows to a person. */
  readonly lines: readonly string[];
};

export type PackerRun = {
  readonly target: Target;
  readonly variables: Readonly<Record<string, string>>;
  readonly keepOnFailure: boolean;
  readonly logFile: string;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
};

const shownLines = 15;

/** `packer build` of the template; its output drives the progress display. */
export async function packerBuild(run: PackerRun): Promise<PackerResult> {
  run.signal.throwIfAborted();
  const child = startPacker(run);
  const interrupt = () => child.kill("SIGINT");
  run.signal.addEventListener("abort", interrupt, { once: true });

  const log = createWriteStream(run.logFile, { flags: "a", mode: 0o600 });
  // The log is optional: a full disk must not end the bake before the clean-up.
  log.on("error", (error) => run.onLine(`the log cannot be written: ${error.message}`));
  const lines: string[] = [];
  let failure: FailurePoint | undefined;
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
  // The caller reports an interrupt once, after its clean-up.
  run.signal.throwIfAborted();
  if (result.exitCode === 0 && imageId !== undefined) return { imageId, lines };
  throw packerFailed(
    result.signal ?? `exit code ${result.exitCode}`,
    failure ?? failurePoint(lines, run),
    run,
  );

  function show(event: Exclude<PackerEvent, { kind: "artifact" }>): void {
    for (const text of event.text.split("\n").map(withoutPrefix).filter(Boolean)) {
      lines.push(text);
      if (isFailureLine(text)) failure ??= failurePoint(lines, run);
      const phase = phaseOf(text);
      if (phase !== undefined) run.stopwatch.begin(phase);
      if (!isForManifest(text)) run.onLine(text);
    }
  }
}

function startPacker(run: PackerRun) {
  const { command, env } = packerCommand();
  const awsEnv = run.target.name === "lab" ? { AWS_ACCESS_KEY_ID: "lab", AWS_SECRET_ACCESS_KEY: "lab" } : {};
  const [program, ...args] = [
    ...run.target.commandPrefix,
    command,
    "build",
    "-machine-readable",
    `-on-error=${run.keepOnFailure ? "abort" : "cleanup"}`,
    ...Object.entries(run.variables).flatMap(([name, value]) => ["-var", `${name}=${value}`]),
    join(root, "packer"),
  ];
  return execa(program, args, {
    env: { ...env, ...awsEnv },
    all: true,
    buffer: false,
    reject: false,
    stdin: "ignore",
    // In its own process group, Packer receives an interrupt once, from this process, and cleans up.
    detached: true,
  });
}

/** Removes the name of the builder and the marks before a line. */
function withoutPrefix(text: string): string {
  return text.replace(/^(?:==> |\s{4})?(?:amazon-ebs\.eclair: )?/, "").trimEnd();
}

/** The phase and the last lines before Packer reports its failure. The lines of its clean-up do not show the cause. */
type FailurePoint = { readonly phase: string; readonly lines: readonly string[] };

function failurePoint(lines: readonly string[], run: PackerRun): FailurePoint {
  return {
    phase: run.stopwatch.last ?? "start",
    lines: lines.filter((line) => !isForManifest(line)).slice(-shownLines),
  };
}

function packerFailed(end: string, { phase, lines }: FailurePoint, run: PackerRun): EclairAmiError {
  return new EclairAmiError({
    code: "bake.packer-failed",
    operation: `baking, in the phase "${phase}"`,
    message: `Packer ended with ${end}; the last lines before its end:\n${lines.map((line) => `  ${line}`).join("\n")}`,
    remedy: `correct what the lines report and bake again; the complete log is ${run.logFile}; --keep-on-failure keeps the builder for an inspection`,
  });
}
