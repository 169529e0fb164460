import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { parse, stringify } from "yaml";
import { ClusterTable, documentClient } from "../../bootstrap/contract/record/table.ts";
import { accountId } from "../../scripts/lab/addresses.ts";
import { deployLabStack, setupFile, writeSetup } from "../../scripts/lab-cluster/stack.ts";
import { debianImageId } from "../../scripts/lab/debian/ami.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { setFaults } from "../../scripts/lab/front/faults.ts";
import { labPaths } from "../../scripts/lab/paths.ts";
import type { NodeStatus } from "../../scripts/cluster/status.ts";
import { labSettings, labTarget } from "../../scripts/lab/target.ts";
import { cli, eventually, failureOf } from "./cli.ts";
import { terminateDuringSetup, expectDeniedCall } from "./cut-off.ts";
import { cluster } from "./node.ts";

const state = inject("labState");
const lab = labPaths(state);
const target = labTarget(lab);
const imageId = inject("images")[0]?.id ?? "";
const facts = readFacts(lab);

describe("`init`", () => {
  const name = "cut-off";
  const init = () =>
    cli([
      ...["init", "--state", state, "--image", imageId, "--config", setupFile(lab, name)],
      ...["--create-secrets", "--json"],
    ]);

  test("has the same result when it is interrupted at any step and run again", async () => {
    if (facts === undefined) throw new Error("the lab is not up");
    await deployLabStack(lab, facts, target, { name, network: "shared" });
    await writeSetup(lab, target, name);

    for (const [action, code] of [
      ["CreateSecret", "secret.denied"],
      ["TransactWriteItems", "record.denied"],
    ] as const)
      await expectDeniedCall(lab, name, init, action, code);
    await terminateDuringSetup(lab, name, init, [600, 900, 1200, 1500]);
    const completed = await init();
    expect(completed.exitCode, completed.all).toBe(0);
    const { nodeId } = JSON.parse(completed.stdout) as { nodeId: string };
    const repeated = await init();
    expect(JSON.parse(repeated.stdout)).toMatchObject({ nodeId, changed: [] });
    const flags = ["--state", state, "--image", imageId, "--config", setupFile(lab, name)];
    // New permissions take effect after some seconds.
    const denial = { service: "api", code: "AccessDeniedException", status: 400 } as const;
    setFaults(lab, name, [{ ...denial, action: "GetSecretValue", until: Date.now() + 12_000 }]);
    const verified = await cli(["verify", ...flags]);
    expect(verified.exitCode, verified.all).toBe(0);
    const foreign = await cli(["verify", ...flags, "--image", debianImageId, "--json"]);
    expect(failureOf(foreign)).toMatchObject({ code: "launch.foreign-image" });
  });

  test("refuses a node that already belongs to another cluster", async () => {
    if (facts === undefined) throw new Error("the lab is not up");
    const twin = "twin";
    const secrets = new SecretsManagerClient(labSettings(facts));
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: `${name}/seeds` }));
    await secrets.send(new CreateSecretCommand({ Name: `${twin}/seeds`, SecretString }));
    await deployLabStack(lab, facts, target, { name: twin, network: "shared" });
    await writeSetup(lab, target, twin);
    const refused = await cli([
      ...["init", "--state", state, "--image", imageId, "--config", setupFile(lab, twin), "--json"],
    ]);
    expect(failureOf(refused)).toMatchObject({
      code: "record.node-in-other-cluster",
      message: expect.stringMatching(/belongs to the cluster cut-off already/),
    });
    const { nodeSeed, channelSeed } = JSON.parse(SecretString ?? "") as Record<string, string>;
    for (const seed of [nodeSeed, channelSeed]) {
      expect(seed).toMatch(/^[0-9a-f]{64}$/);
      expect(refused.all).not.toContain(seed);
    }
  });

  test("refuses a file that is not a setup document", async () => {
    const run = await cli(["init", "--state", state, "--image", imageId, "--config", "package.json"]);
    expect(run).toMatchObject({ exitCode: 2 });
    expect(run.stderr).toMatch(/apiVersion is missing/);
  });
});

describe("`database repoint`", () => {
  test("changes the database only with the node id, and only when no instance is active", async () => {
    const nodes = await cluster(state, "repoint", imageId);
    const id = await nodes.launch(imageId);
    await nodes.waitUntilActive(id);
    await eventually("the record to be mirrored", async () => (await nodes.table.record())?.lastEclair);
    const { nodeId } = nodes.configuration;
    const repoint = (file: string, ...flags: string[]) =>
      cli([
        ...["database", "repoint", "--state", state, "--image", imageId, "--config", file, "--json"],
        ...["--reason", "the old one is lost", ...flags],
      ]);
    const setup = parse(readFileSync(nodes.setupFile, "utf8")) as { database: { name: string } };
    const elsewhere = join(dirname(nodes.setupFile), "repoint-elsewhere.yaml");
    const document = { ...setup, database: { ...setup.database, name: "restored" } };
    writeFileSync(elsewhere, stringify(document));

    const running = await repoint(nodes.setupFile, "--node-id", nodeId);
    expect(failureOf(running)).toMatchObject({ code: "repoint.node-active" });
    await nodes.terminate(id);
    await nodes.waitUntilTerminated(id);
    await nodes.sql("create database restored template eclair", "postgres");
    await nodes.sql(
      "alter database restored owner to " +
        (await nodes.sql("select datdba::regrole from pg_database where datname = 'eclair'")),
      "postgres",
    );
    await nodes.sql("update eclair_ami.progress set counter = counter - 1", "restored");

    const withoutNodeId = await repoint(elsewhere);
    expect(failureOf(withoutNodeId)).toMatchObject({ code: "repoint.node-id-mismatch" });
    const wrongNodeId = await repoint(elsewhere, "--node-id", `02${"ab".repeat(32)}`);
    expect(failureOf(wrongNodeId)).toMatchObject({ code: "repoint.node-id-mismatch" });
    // Less than a minute ago, however long the refused runs and this one take.
    await nodes.forgeRecord((record) => ({
      ...record,
      updatedAt: new Date(Date.now() + 60_000).toISOString(),
    }));
    const tooEarly = await repoint(elsewhere, "--node-id", nodeId);
    expect(failureOf(tooEarly)).toMatchObject({ code: "repoint.node-active" });

    const before = await nodes.forgeRecord((record) => ({
      ...record,
      updatedAt: "2026-01-01T00:00:00.000Z",
    }));
    const shown = await cli([
      ...["database", "repoint", "--state", state, "--image", imageId, "--config", elsewhere],
      ...["--reason", "x", "--node-id", "none"],
    ]);
    expect(shown.stdout).toMatch(/^at risk: all funds in channels that changed since/m);
    const completed = await repoint(elsewhere, "--node-id", nodeId);
    expect(completed.exitCode, completed.all).toBe(0);
    const record = await nodes.table.record();
    expect(record).toMatchObject({ node: before.node, database: { name: "restored" } });
    expect(record?.database.id).not.toBe(before.database.id);
    expect(record?.progress.generation).toBeGreaterThan(before.progress.generation);
    expect(await nodes.table.history()).toEqual([
      expect.objectContaining({
        action: "database repoint",
        reason: "the old one is lost",
        requestedBy: "lab",
      }),
    ]);

    // The node starts with the new database, and never again with the old one.
    const newDatabase = { database: { ...nodes.configuration.database, name: "restored" } };
    const current = await nodes.launch(imageId, newDatabase);
    expect((await nodes.waitUntilActive(current)).report?.eclair.info?.nodeId).toBe(nodeId);
    const outdated = await nodes.launch(imageId);
    await expect(nodes.waitUntilActive(outdated)).rejects.toThrow(/database\.endpoint-mismatch/);
    await Promise.all([nodes.terminate(current), nodes.terminate(outdated)]);
  });
});

test("the operator role can use status, logs and terminate with the target aws (endpoints pinned to the lab), and cannot read a secret", async () => {
  const nodes = await cluster(state, "operated", imageId);
  const id = await nodes.launch(imageId);
  await nodes.waitUntilActive(id);
  if (facts === undefined) throw new Error("the lab is not up");
  const { Credentials } = await new STSClient(labSettings(facts)).send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${accountId}:role/operated-operator`,
      RoleSessionName: "operator",
    }),
  );
  const env = {
    AWS_ENDPOINT_URL: nodes.endpoint,
    AWS_ACCESS_KEY_ID: Credentials?.AccessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: Credentials?.SecretAccessKey ?? "",
    AWS_SESSION_TOKEN: Credentials?.SessionToken ?? "",
  };
  const aws = (...args: string[]) => cli([...args, "--target", "aws", "--region", "us-east-1"], env);
  // An active instance sends its first report before it mirrors the record for the first time.
  const reported = await eventually("the report to show the record", async () => {
    const status = await aws("status", "--json", "--cluster", "operated");
    const [instance] = JSON.parse(status.stdout) as NodeStatus[];
    return instance?.report?.record.known === true ? instance : undefined;
  });
  expect(reported).toMatchObject({
    instanceId: id,
    cluster: "operated",
    report: { role: "active", nodeId: nodes.configuration.nodeId, versions: { eclair: "0.13.0" } },
  });
  expect(reported.report?.record).toMatchObject({ known: true });
  expect((await aws("logs", id)).stdout).toMatch(/"phase":"hand-over"/);
  const operatorSettings = {
    ...labSettings(facts),
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      sessionToken: env.AWS_SESSION_TOKEN,
    },
  };
  const { table } = nodes.configuration.record;
  const tableOf = (name: string) =>
    new ClusterTable(documentClient(new DynamoDBClient(operatorSettings)), table, name);
  expect(await tableOf("operated").record()).toBeDefined();
  await expect(tableOf("cut-off").record()).rejects.toThrow(/is not authorized to perform: dynamodb:GetItem/);

  const asOperator = new SecretsManagerClient(operatorSettings);
  for (const secret of ["operated/seeds", "operated/database"])
    await expect(asOperator.send(new GetSecretValueCommand({ SecretId: secret }))).rejects.toThrow(
      /role operated-operator is not authorized to perform: secretsmanager:GetSecretValue/,
    );
  expect((await aws("terminate", id)).stdout).toMatch(/EC2 terminates i-/);
});
