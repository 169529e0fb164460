import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ClusterTable, documentClient } from "../../../bootstrap/contract/record/table.ts";
import { singleTemplateName } from "../../../infra/cluster/template-names.ts";
import { readClusterSetup } from "../../cluster/configuration/read.ts";
import { Rotator, type RotationStep } from "../../cluster/rotation/rotate.ts";
import { setupFile } from "../../lab-cluster/stack.ts";
import type { DrillEnvironment } from "../environment.ts";

/** Rotates the login of the database, as `eclair-ami rotate database` does. */
export async function rotateDatabase(
  { lab, target, configuration, imageId }: DrillEnvironment,
  onStep: (step: RotationStep) => void,
): Promise<void> {
  const setup = await readClusterSetup(setupFile(lab, configuration.cluster));
  const client = documentClient(target.client(DynamoDBClient));
  const table = new ClusterTable(client, configuration.record.table, configuration.cluster);
  await new Rotator(target, table, {
    kind: "database",
    setup,
    instance: {
      image: { imageId },
      launchTemplate: singleTemplateName(configuration.cluster),
      instanceProfile: `${configuration.cluster}-setup`,
    },
    requestedBy: "drill",
    ignoreBudget: false,
    restart: false,
    signal: new AbortController().signal,
    onStep,
  }).run();
}
