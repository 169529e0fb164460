import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { RDSClient } from "@aws-sdk/client-rds";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DeleteCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { NodeConfiguration } from "../../bootstrap/config/node.ts";
import { configurationFile, labNode, setupFile } from "../../scripts/lab/cluster/cluster.ts";
import { ClusterTable, documentClient } from "../../bootstrap/record/table.ts";
import type { ClusterRecord } from "../../bootstrap/record/record.ts";
import { eclairApi } from "../../scripts/lab/cluster/eclair-api.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { labPlace } from "../../scripts/lab/place.ts";
import { OutsideDatabase } from "../../scripts/lab/rds/outside.ts";
import { policy, type Statement } from "../../scripts/policies/statements.ts";
import { consoleOf, stepsIn } from "../../scripts/nodes/console.ts";
import { nodeStatuses, type NodeStatus } from "../../scripts/nodes/status.ts";
import { labSettings, labTarget } from "../../scripts/target/target.ts";
import { cli, eventually, inGuest } from "./cli.ts";

/** A cluster of the shared lab, as an operator and as the lab itself can handle it. */
export type Cluster = Awaited<ReturnType<typeof cluster>>;

/** Makes a cluster of that name in the lab and, by `init` from the image, its node; or finds both. */
export async function cluster(state: string, name: string, madeFrom: string) {
  const lab = labPlace(state);
  const facts = readFacts(lab);
  if (facts?.holder === undefined) throw new Error("the lab is not up");
  const target = labTarget(lab);
  const file = existsSync(configurationFile(lab, name))
    ? configurationFile(lab, name)
    : (await labNode(lab, facts, target, { name, imageId: madeFrom })).file;
  const configuration = NodeConfiguration.parse(parse(readFileSync(file, "utf8")));
  const { pid } = facts.holder;
  let launched = 0;

  const database = new OutsideDatabase(lab, facts, name);
  const sql = (text: string, where = "eclair") => database.sql(text, where);

  const table = new ClusterTable(documentClient(target.dynamodb), configuration.record.table, name);

  /** Changes the cluster record as nobody should; undefined takes it away. */
  const forgeRecord = async (change: (record: ClusterRecord) => unknown): Promise<ClusterRecord> => {
    const record = await table.record();
    if (record === undefined) throw new Error(`${name} has no record`);
    const forged = change(structuredClone(record));
    const client = documentClient(target.dynamodb);
    const Key = { cluster: name, item: "record" };
    await (forged === undefined
      ? client.send(new DeleteCommand({ TableName: table.name, Key }))
      : client.send(new PutCommand({ TableName: table.name, Item: { ...Key, record: forged } })));
    return record;
  };
  const restoreRecord = (record: ClusterRecord) =>
    documentClient(target.dynamodb).send(
      new PutCommand({ TableName: table.name, Item: { cluster: name, item: "record", record } }),
    );

  /** Allows the instances more than their policy does. */
  const allow = (...statements: Statement[]) =>
    new IAMClient(labSettings(facts)).send(
      new PutRolePolicyCommand({
        RoleName: `${name}-node`,
        PolicyName: "more",
        PolicyDocument: JSON.stringify(policy(...statements)),
      }),
    );

  /** A verb of the command line for this cluster's set-up, and what it said. */
  const setUp = (verb: readonly string[], imageId: string, ...flags: string[]) =>
    cli([...verb, "--state", state, "--image", imageId, "--config", setupFile(lab, name), ...flags]);

  /** Starts an instance with `eclair-ami launch`; its configuration may differ from the cluster's. */
  const launch = async (imageId: string, changes: Record<string, unknown> = {}): Promise<string> => {
    launched += 1;
    const own = join(lab.state, "clusters", `${name}-${launched}.yaml`);
    writeFileSync(own, stringify({ ...(parse(readFileSync(file, "utf8")) as object), ...changes }));
    const result = await cli(["launch", "--state", state, "--image", imageId, "--config", own]);
    const id = /^(i-[0-9a-f]+) is starting/.exec(result.stdout)?.[1];
    if (id === undefined) throw new Error(`nothing was launched:\n${result.all}`);
    return id;
  };

  const status = async (id: string): Promise<NodeStatus | undefined> =>
    (await nodeStatuses(target, { cluster: name })).find((candidate) => candidate.instanceId === id);

  const active = async (id: string): Promise<NodeStatus> => {
    try {
      return await eventually(
        `${id} to be active`,
        async () => {
          const found = await status(id);
          if (found?.boot.gaveUp === true) throw new Error(found.boot.said);
          return found?.state?.active === true ? found : undefined;
        },
        120,
      );
    } catch (error) {
      // What the instance says of it tells more than the time that has passed.
      const found = await status(id);
      const said = stepsIn(await consoleOf(target, id))
        .slice(-8)
        .map((step) => JSON.stringify(step))
        .join("\n");
      throw new Error(`${String(error)}\n${found?.state?.reasons.join("; ")}\n${said}`, { cause: error });
    }
  };

  const terminate = async (id: string): Promise<void> => {
    await target.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  };

  /** Until nothing of the instance is there any more. */
  const gone = (id: string) =>
    eventually(`${id} to be gone`, async () => ((await status(id)) === undefined ? true : undefined));

  const api = (id: string, call: string, form = "") => eclairApi(lab, id, call, form);

  return {
    name,
    /** The process whose mount namespace the lab's databases are in. */
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
    setUp,
    setupFile: setupFile(lab, name),
    sql,
    launch,
    status,
    active,
    terminate,
    gone,
    api,
    inGuest: (id: string, script: string) => inGuest(state, id, script),
  };
}
