import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Command } from "commander";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import type { RotationKind } from "../../../bootstrap/contract/requests/rotation.ts";
import { readClusterSetup } from "../../cluster/configuration/read.ts";
import { rotateOwner } from "../../cluster/rotation/owner.ts";
import { Rotator, type RotationStep } from "../../cluster/rotation/rotate.ts";
import { callerOf } from "../../target/caller.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import { emit } from "../../ui/tasks.ts";
import { ignoreBudgetText } from "../budget-flag.ts";
import { targetOf, withTarget, type TargetFlags } from "../target-flags.ts";
import { setupInstance, withSetup, type SetupFlags } from "./setup-flags.ts";

type Flags = SetupFlags & {
  readonly ignoreBudget: boolean;
  readonly restart: boolean;
  readonly abandon: boolean;
};

/** Changes the logins of a node while it serves. */
export function addRotate(program: Command): void {
  const verb = program.command("rotate").description("change a login of a node while it serves");
  const withRotation = (command: Command) =>
    withSetup(command)
      .option("--restart", "for a cluster of one instance: start its Eclair again", false)
      .option("--abandon", "give up the rotation that was interrupted; both logins continue to work", false)
      .option("--ignore-budget", ignoreBudgetText, false);
  withRotation(verb.command("database"))
    .description(
      "give Eclair and the supervisors another login at the database, with one switchover; continues an interrupted rotation",
    )
    .action((flags: Flags) => rotate("database", flags));
  withRotation(verb.command("api"))
    .description("change the password of Eclair's API, when a secret contains it, with one switchover")
    .action((flags: Flags) => rotate("api", flags));
  withTarget(verb.command("owner"))
    .description("let RDS change the login of the database's owner, which only cluster setups use")
    .requiredOption("--config <file>", "a document of the kind ClusterSetup")
    .option("--json", "print the result as JSON", false)
    .action(owner);
}

async function owner(
  flags: TargetFlags & { readonly config: string; readonly json: boolean },
): Promise<void> {
  const setup = await readClusterSetup(flags.config);
  const versionId = await rotateOwner(targetOf(flags), setup, interruptSignal());
  if (flags.json) return emit({ event: "rotation.finished", versionId });
  console.log(`finished   version ${versionId} of the owner's secret is AWSCURRENT`);
}

async function rotate(kind: RotationKind, flags: Flags): Promise<void> {
  const target = targetOf(flags);
  const setup = await readClusterSetup(flags.config);
  const client = documentClient(target.client(DynamoDBClient));
  const table = new ClusterTable(client, setup.record.table, setup.cluster);
  if (kind === "api" && setup.secrets.apiPassword === undefined) throw withoutApiSecret(flags.config);
  const wanted = {
    kind,
    setup,
    instance: await setupInstance(target, setup, flags),
    requestedBy: await callerOf(target),
    ignoreBudget: flags.ignoreBudget,
    restart: flags.restart,
    signal: interruptSignal(),
    onStep: (step: RotationStep) =>
      flags.json ? emit({ event: `rotation.${step.step}`, ...step }) : console.log(textOf(step)),
  };
  const rotator = new Rotator(target, table, wanted);
  if (!flags.abandon) return await rotator.run();
  const abandoned = await rotator.abandon();
  if (flags.json) return emit({ event: "rotation.abandoned", rotation: abandoned });
  console.log(
    abandoned === undefined
      ? "abandoned  nothing: no rotation is unfinished"
      : `abandoned  the rotation in version ${abandoned.versionId}`,
  );
}

const texts: { readonly [S in RotationStep["step"]]: (step: Extract<RotationStep, { step: S }>) => string } =
  {
    warning: ({ text }) => `warning    ${text}`,
    resumed: ({ from }) => `resumed    a rotation that was interrupted after the step ${from}`,
    prepared: ({ versionId }) =>
      `prepared   the next login, in version ${versionId} of the secret (AWSPENDING)`,
    tested: ({ instanceId }) => `tested     ${instanceId} has armed an Eclair with it`,
    promoted: ({ versionId }) => `promoted   version ${versionId} is AWSCURRENT; both logins work`,
    "switched-over": ({ instanceId, durationMs }) => `switchover to ${instanceId}, outage ${durationMs} ms`,
    restarted: ({ instanceId }) => `restarted  ${instanceId} runs with the new login`,
    finished: ({ changed }) =>
      `finished   ${changed.join("; ") || "the previous login was disabled already"}`,
  };

const textOf = (step: RotationStep): string => (texts[step.step] as (step: RotationStep) => string)(step);

function withoutApiSecret(file: string): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.no-secret",
    operation: "rotating the password of Eclair's API",
    message: `${file} names no secrets.apiPassword`,
    remedy:
      "write the secret of `secrets.apiPassword` of the node's configuration into the setup document. Without such a secret, each instance generates another password at its first boot",
    exitCode: 2,
  });
}
