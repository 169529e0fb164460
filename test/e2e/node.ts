import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { TerminateInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { RDSClient } from "@aws-sdk/client-rds";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { NodeConfiguration } from "../../bootstrap/contract/configuration/node.ts";
import { initLabNode } from "../../scripts/lab-cluster/node.ts";
import { configurationFile, setupFile } from "../../scripts/lab-cluster/stack.ts";
import { ClusterTable, documentClient } from "../../bootstrap/contract/record/table.ts";
import { formatVersion, items } from "../../bootstrap/contract/record/keys.ts";
import type { ClusterRecord } from "../../bootstrap/contract/record/record.ts";
import { eclairApi } from "../../scripts/lab/guest/eclair-api.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { labPaths } from "../../scripts/lab/paths.ts";
import { DatabaseAdmin } from "../../scripts/lab/rds/database-admin.ts";
import { policy, type Statement } from "../../infra/policies/statements.ts";
import { consoleOutput, bootstrapEvents } from "../../scripts/cluster/console.ts";
import { nodeStatuses, type NodeStatus } from "../../scripts/cluster/status.ts";
import { labSettings, labTarget } from "../../scripts/lab/target.ts";
import { cli, eventually, inGuest } from "./cli.ts";

/** A cluster of the shared lab, with the operations of an operator and direct access to its resources. */
export type Cluster = Awaited<ReturnType<typeof cluster>>;

/** Creates a cluster in the lab and its node with `init`, unless both exist. */
export async function cluster(state: string, name: string, initImageId: string) {
  const lab = labPaths(state);
  const facts = readFacts(lab);
  if (facts?.initProcess === undefined) throw new Error("the lab is not up");
  const target = labTarget(lab);
  const file = existsSync(configurationFile(lab, name))
    ? configurationFile(lab, name)
    : (await initLabNode(lab, facts, target, { name, imageId: initImageId })).file;
  const configuration = NodeConfiguration.parse(parse(readFileSync(file, "utf8")));
  const { pid } = facts.initProcess;
  let launched = 0;

  const database = new DatabaseAdmin(lab, facts, name);
  const sql = (text: string, databaseName = "eclair") => database.sql(text, databaseName);

  const table = new ClusterTable(
    documentClient(target.client(DynamoDBClient)),
    configuration.record.table,
    name,
  );

  /** Changes the cluster record directly, and returns the previous one. A change that returns undefined deletes the record. */
  const forgeRecord = async (change: (record: ClusterRecord) => unknown): Promise<ClusterRecord> => {
    const record = await table.record();
    if (record === undefined) throw new Error(`${name} has no record`);
    const forged = change(structuredClone(record));
    const client = documentClient(target.client(DynamoDBClient));
    const Key = { cluster: name, item: items.record };
    await (forged === undefined
      ? client.send(new DeleteCommand({ TableName: table.name, Key }))
      : client.send(
          new PutCommand({ TableName: table.name, Item: { ...Key, formatVersion, record: forged } }),
        ));
    return record;
  };
  const restoreRecord = (record: ClusterRecord) =>
    documentClient(target.client(DynamoDBClient)).send(
      new PutCommand({
        TableName: table.name,
        Item: { cluster: name, item: items.record, formatVersion, record },
      }),
    );

  /** Grants the instances permissions in addition to their policy. */
  const allow = (...statements: Statement[]) =>
    new IAMClient(labSettings(facts)).send(
      new PutRolePolicyCommand({
        RoleName: `${name}-node`,
        PolicyName: "more",
        PolicyDocument: JSON.stringify(policy(...statements)),
      }),
    );

  /** Runs a cluster setup, such as `init` or `verify`, for this cluster. */
  const runSetup = (verb: readonly string[], imageId: string, ...flags: string[]) =>
    cli([...verb, "--state", state, "--image", imageId, "--config", setupFile(lab, name), ...flags]);

  /** Launches an instance with `eclair-ami launch`, with changes to the configuration of the cluster. */
  const launch = async (
    imageId: string,
    changes: Record<string, unknown> = {},
    ...flags: string[]
  ): Promise<string> => {
    launched += 1;
    const configurationPath = join(lab.state, "clusters", `${name}-${launched}.yaml`);
    writeFileSync(
      configurationPath,
      stringify({ ...(parse(readFileSync(file, "utf8")) as object), ...changes }),
    );
    const result = await cli([
      ...["launch", "--state", state, "--image", imageId, "--config", configurationPath],
      ...flags,
    ]);
    const id = /^(i-[0-9a-f]+) starts from/.exec(result.stdout)?.[1];
    if (id === undefined) throw new Error(`the launch failed:\n${result.all}`);
    return id;
  };

  const statuses = () => nodeStatuses(target, { cluster: name });
  const status = async (id: string): Promise<NodeStatus | undefined> =>
    (await statuses()).find((candidate) => candidate.instanceId === id);

  const waitUntilActive = async (id: string): Promise<NodeStatus> => {
    try {
      return await eventually(`${id} to be active`, async () => {
        const current = await status(id);
        if (current?.boot.final === true) throw new Error(current.boot.message);
        return current?.report?.active === true ? current : undefined;
      });
    } catch (error) {
      // The error contains the reasons and the log of the instance, which explain the timeout.
      const last = await status(id);
      const events = bootstrapEvents(await consoleOutput(target, id))
        .slice(-8)
        .map((event) => JSON.stringify(event))
        .join("\n");
      throw new Error(`${String(error)}\n${last?.report?.reasons.join("; ")}\n${events}`, { cause: error });
    }
  };

  const terminate = async (id: string): Promise<void> => {
    await target.client(EC2Client).send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  };

  /** Waits until the instance is terminated. */
  const waitUntilTerminated = (id: string) =>
    eventually(`${id} to be terminated`, async () => ((await status(id)) === undefined ? true : undefined));

  const api = (id: string, call: string, form = "") => eclairApi(lab, id, call, form);

  return {
    name,
    /** The process in whose mount namespace the lab's databases run. */
    pid,
    lab,
    target,
    file,
    configuration,
    endpoint: facts.endpoint,
    rds: new RDSClient(labSettings(facts)),
    secrets: new SecretsManagerClient(labSettings(facts)),
    table,
    forgeRecord,
    restoreRecord,
    allow,
    runSetup,
    setupFile: setupFile(lab, name),
    database,
    sql,
    launch,
    statuses,
    status,
    waitUntilActive,
    terminate,
    waitUntilTerminated,
    api,
    inGuest: (id: string, script: string) => inGuest(state, id, script),
  };
}
