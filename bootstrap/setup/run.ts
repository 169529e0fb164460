import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { clientSettings, type AwsSettings } from "../aws/clients.ts";
import type { ClusterSetup, SetupTask } from "../config/cluster-setup.ts";
import { BootFailure, failureOf, messageOf } from "../failure.ts";
import { logLine } from "../log.ts";
import { run } from "../os/run.ts";
import { ClusterTable, documentClient } from "../record/table.ts";
import { adopt } from "./adopt.ts";
import type { Context } from "./context.ts";
import { initialise } from "./init.ts";
import { compare, repoint } from "./repoint.ts";
import { setupLine, type SetupResult } from "./result.ts";
import { verify } from "./verify.ts";

type Found = Omit<SetupResult, "id" | "done">;

const actions: Readonly<Record<SetupTask["action"], (context: Context) => Promise<Found>>> = {
  init: initialise,
  adopt,
  verify,
  compare,
  repoint,
};

/** Does what a short-lived instance was started for, says how it went, and ends the instance. */
export async function setUpCluster(setup: ClusterSetup, aws: AwsSettings, ca: string): Promise<void> {
  const { task } = setup;
  if (task === undefined)
    throw new BootFailure({
      code: "configuration.invalid",
      cause: "the document says nothing of a task",
      remedy: "use `eclair-ami init`, `adopt`, `verify` or `database repoint`: they launch such an instance",
    });
  const settings = clientSettings(aws);
  const table = new ClusterTable(
    documentClient(new DynamoDBClient(settings)),
    setup.record.table,
    setup.cluster,
  );
  const context: Context = { setup, task, table, ca, secrets: new SecretsManagerClient(settings) };
  let result: SetupResult;
  try {
    result = { id: task.id, done: true, ...(await actions[task.action](context)) };
  } catch (error) {
    const { code, message, remedy } = failureOf(error);
    result = { id: task.id, done: false, changed: [], facts: [], failure: { code, cause: message, remedy } };
  }
  logLine(setupLine, result);
  // The console tells it too, since the table may be what could not be used; but a console may lose a line.
  await table
    .tellResult(task.id, result, new Date())
    .catch((error: unknown) => logLine("report", { failed: messageOf(error) }));
  await run("systemctl", ["--no-block", "poweroff"]);
}
