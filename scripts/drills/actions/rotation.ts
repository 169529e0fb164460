import { execa } from "execa";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { referenceOf } from "../../../bootstrap/contract/configuration/secret-reference.ts";
import type { RotationKind } from "../../../bootstrap/contract/requests/rotation.ts";
import { setupFile } from "../../lab-cluster/stack.ts";
import { writeFileAtomically } from "../../machine/files.ts";
import { root } from "../../machine/paths.mjs";
import type { DrillEnvironment } from "../environment.ts";
import { DrillFailure } from "../run.ts";

const StepLine = z.looseObject({ step: z.string(), rpcauth: z.string().optional() });
export type StepLine = z.infer<typeof StepLine>;

/** What `eclair-ami rotate` can change in a lab. */
export type DrilledKind = RotationKind | "owner";

/** Runs `eclair-ami rotate`. @param onStep called with each step that the command prints */
export async function rotate(
  environment: DrillEnvironment,
  kind: DrilledKind,
  onStep: (step: StepLine) => void = () => undefined,
): Promise<void> {
  const { command } = start(environment, kind, onStep);
  const { exitCode, stdout } = await command;
  if (exitCode !== 0) throw failure(stdout);
}

/** Kills `eclair-ami rotate` after a time, or when it prints a step. @returns whether it still ran */
export async function killRotation(
  environment: DrillEnvironment,
  kind: DrilledKind,
  when: { readonly milliseconds: number } | { readonly step: string },
): Promise<boolean> {
  const { command, kill } = start(environment, kind, ({ step }) => {
    if ("step" in when && when.step === step) kill();
  });
  const timer = "milliseconds" in when ? setTimeout(kill, when.milliseconds) : undefined;
  const { signal, exitCode, stdout } = await command;
  clearTimeout(timer);
  if (signal === "SIGKILL") return true;
  if (exitCode !== 0) throw failure(stdout);
  return false;
}

const failure = (output: string) =>
  new DrillFailure(`the rotation failed: ${output.trim().split("\n").at(-1) ?? "no output"}`);

function start(environment: DrillEnvironment, kind: DrilledKind, onStep: (step: StepLine) => void) {
  const { lab, imageId } = environment;
  const image = kind === "owner" ? [] : ["--image", imageId];
  const flags = ["--state", lab.state, "--config", writeSetup(environment), "--json"];
  // The command is a process group of its own: a kill ends the shell script and its Node.
  const command = execa(join(root, "eclair-ami"), ["rotate", kind, ...image, ...flags], {
    reject: false,
    stdin: "ignore",
    detached: true,
  });
  createInterface({ input: command.stdout }).on("line", (line) => {
    const step = StepLine.safeParse(JSON.parse(line));
    if (step.success) onStep(step.data);
  });
  const kill = () => {
    if (command.pid !== undefined && command.exitCode === null) process.kill(-command.pid, "SIGKILL");
  };
  return { command, kill };
}

/** The setup document of the drilled cluster, with the secrets that its instances use. */
function writeSetup({ lab, configuration }: DrillEnvironment): string {
  const file = setupFile(lab, configuration.cluster);
  const setup = parse(readFileSync(file, "utf8")) as { secrets: object };
  const { apiPassword } = configuration.secrets;
  const bitcoind = [...new Set(configuration.bitcoind.remotes.map(({ secret }) => referenceOf(secret).id))];
  const document = {
    ...setup,
    secrets: {
      ...setup.secrets,
      ...(apiPassword !== undefined && { apiPassword: referenceOf(apiPassword).id }),
      bitcoind,
    },
  };
  const extended = file.replace(/\.yaml$/, "-rotation.yaml");
  writeFileAtomically(extended, stringify(document));
  return extended;
}
