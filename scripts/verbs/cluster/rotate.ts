import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Command } from "commander";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import { readClusterSetup } from "../../cluster/configuration/read.ts";
import { Rotator, type RotationStep } from "../../cluster/rotation/rotate.ts";
import { callerOf } from "../../target/caller.ts";
import { interruptSignal } from "../../ui/interrupt.ts";
import { emit } from "../../ui/tasks.ts";
import { ignoreBudgetText } from "../budget-flag.ts";
import { targetOf } from "../target-flags.ts";
import { setupInstance, withSetup, type SetupFlags } from "./setup-flags.ts";

type Flags = SetupFlags & { readonly ignoreBudget: boolean };

/** Changes the logins of a node while it serves. */
export function addRotate(program: Command): void {
  const rotate = program.command("rotate").description("change a login of a node while it serves");
  withSetup(rotate.command("database"))
    .description(
      "give Eclair and the supervisors another login at the database, with one switchover; continues an interrupted rotation",
    )
    .option("--ignore-budget", ignoreBudgetText, false)
    .action(rotateDatabase);
}

async function rotateDatabase(flags: Flags): Promise<void> {
  const target = targetOf(flags);
  const setup = await readClusterSetup(flags.config);
  const client = documentClient(target.client(DynamoDBClient));
  const table = new ClusterTable(client, setup.record.table, setup.cluster);
  const wanted = {
    setup,
    instance: await setupInstance(target, setup, flags),
    requestedBy: await callerOf(target),
    ignoreBudget: flags.ignoreBudget,
    signal: interruptSignal(),
    onStep: (step: RotationStep) =>
      flags.json ? emit({ event: `rotation.${step.step}`, ...step }) : console.log(textOf(step)),
  };
  await new Rotator(target, table, wanted).run();
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
