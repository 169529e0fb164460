import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientSettings, type AwsSettings } from "../aws/clients.ts";
import { isDenial } from "../aws/propagation.ts";
import type { ClusterSetup, SetupTask } from "../contract/configuration/cluster-setup.ts";
import { EclairAmiError } from "../contract/errors.ts";
import { ClusterTable, documentClient } from "../contract/record/table.ts";
import type { SetupOutcome, SetupResult } from "../contract/reports/setup.ts";
import { secondsSinceBoot } from "../os/clock.ts";
import { finalErrorFields, logError, logEvent } from "../os/log.ts";
import { run } from "../os/run.ts";
import { adopt } from "./adopt.ts";
import { compare } from "./compare.ts";
import type { SetupContext } from "./context.ts";
import { initialise } from "./init.ts";
import { confirmUpgrade, repoint } from "./repoint.ts";
import { finishRotation } from "./rotation/finish.ts";
import { prepareRotation } from "./rotation/prepare.ts";
import { verify } from "./verify.ts";

const actions: Readonly<Record<SetupTask["action"], (context: SetupContext) => Promise<SetupOutcome>>> = {
  init: initialise,
  adopt,
  verify,
  compare,
  repoint,
  "confirm-upgrade": confirmUpgrade,
  "prepare-rotation": prepareRotation,
  "finish-rotation": finishRotation,
};

/**
 * New roles and policies take effect after some seconds. A cluster setup repeats a denied request for a shorter time than a
 * node: a person waits for its result.
 */
const propagationSeconds = 30;
const retryMilliseconds = 2_000;

/** Runs the task of a short-lived instance, reports the result, and ends the instance. */
export async function setUpCluster(setup: ClusterSetup, aws: AwsSettings, ca: string): Promise<void> {
  const { task } = setup;
  if (task === undefined)
    throw new EclairAmiError({
      code: "configuration.invalid",
      operation: "reading the user-data",
      message: "the document contains no task",
      remedy:
        "use `eclair-ami init`, `adopt`, `verify`, `database repoint` or `database confirm-upgrade`: these commands launch the instance",
    });
  const settings = clientSettings(aws);
  const client = documentClient(new DynamoDBClient(settings));
  const table = new ClusterTable(client, setup.record.table, setup.cluster);
  const result = await runTask({ setup, task, table, ca, secrets: new SecretsManagerClient(settings) });
  // The console contains the result as well, because the table can be unreachable. A console can lose a line.
  logEvent("cluster-setup.result", { result }, result.succeeded ? "info" : "error");
  await table
    .putSetupResult(task.id, result, new Date())
    .catch((error: unknown) => logError("cluster-setup.report-failed", error));
  await run("systemctl", ["--no-block", "poweroff"]);
}

/** Every action can be repeated: what it completed before is not done again. */
async function runTask(context: SetupContext): Promise<SetupResult> {
  const { id, action } = context.task;
  for (;;) {
    try {
      return { id, succeeded: true, ...(await actions[action](context)) };
    } catch (error) {
      if (!isDenial(error) || secondsSinceBoot() >= propagationSeconds)
        return { id, succeeded: false, changed: [], findings: [], error: finalErrorFields(error) };
      // The command line ends at an error that is final.
      logError("cluster-setup.denied", error.asRetryable(error.remedy));
      await sleep(retryMilliseconds);
    }
  }
}
