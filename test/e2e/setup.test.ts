import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { parse, stringify } from "yaml";
import { accountId } from "../../scripts/lab/addresses.ts";
import { labCluster, setupFile } from "../../scripts/lab/cluster/cluster.ts";
import { readFacts } from "../../scripts/lab/facts.ts";
import { labPlace } from "../../scripts/lab/place.ts";
import type { NodeStatus } from "../../scripts/nodes/status.ts";
import { labSettings, labTarget } from "../../scripts/target/target.ts";
import { cli, eventually } from "./cli.ts";
import { expectCutOff, expectRefusedCall } from "./cut-off.ts";
import { cluster } from "./node.ts";

const state = inject("labState");
const lab = labPlace(state);
const target = labTarget(lab);
const imageId = inject("images")[0]?.id ?? "";
const facts = readFacts(lab);

describe("`init` that is cut off", () => {
  const name = "cut-off";
  const init = () =>
    cli([
      ...["init", "--state", state, "--image", imageId, "--config", setupFile(lab, name)],
      ...["--make-secrets", "--json"],
    ]);

  test("at any step and run again ends in the same state", { timeout: 300_000 }, async () => {
    if (facts === undefined) throw new Error("the lab is not up");
    mkdirSync(dirname(setupFile(lab, name)), { recursive: true });
    writeFileSync(setupFile(lab, name), stringify(await labCluster(facts, target, name)));

    for (const [action, code] of [
      ["CreateSecret", "secret.denied"],
      ["GetSecretValue", "secret.denied"],
      ["GetItem", "record.denied"],
      ["TransactWriteItems", "record.denied"],
    ] as const)
      await expectRefusedCall(lab, name, init, action, code);
    await expectCutOff(lab, name, init, [600, 900, 1200, 1500]);
    const last = await init();
    expect(last.exitCode, last.all).toBe(0);
    const { nodeId } = JSON.parse(last.stdout) as { nodeId: string };
    const again = await init();
    expect(JSON.parse(again.stdout)).toMatchObject({ nodeId, changed: [] });
    const flags = ["--state", state, "--image", imageId, "--config", setupFile(lab, name)];
    const verified = await cli(["verify", ...flags]);
    expect(verified.exitCode, verified.all).toBe(0);
  });

  test("does not make one node in two clusters", async () => {
    if (facts === undefined) throw new Error("the lab is not up");
    const twin = "twin";
    const secrets = new SecretsManagerClient(labSettings(facts));
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: `${name}/seeds` }));
    await secrets.send(new CreateSecretCommand({ Name: `${twin}/seeds`, SecretString }));
    writeFileSync(setupFile(lab, twin), stringify(await labCluster(facts, target, twin)));
    const refused = await cli([
      ...["init", "--state", state, "--image", imageId, "--config", setupFile(lab, twin), "--json"],
    ]);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      code: "record.node-taken",
      cause: expect.stringMatching(/is the node of the cluster cut-off already/),
    });
    expect(refused.all).not.toContain(SecretString);
  });

  test("wants the right document, image and template", async () => {
    const wrong = await cli(["init", "--state", state, "--image", imageId, "--config", "package.json"]);
    expect(wrong).toMatchObject({ exitCode: 2 });
    expect(wrong.stderr).toMatch(/kind is missing/);
  });
});

describe("`database repoint`", { timeout: 300_000 }, () => {
  test("names another database, with a reason and the node id alone, when nobody uses either", async () => {
    const nodes = await cluster(state, "repoint", imageId);
    const id = await nodes.launch(imageId);
    await nodes.active(id);
    await eventually("the record to be mirrored", async () => (await nodes.table.record())?.eclair);
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

    const running = await repoint(elsewhere, "--node-id", nodeId);
    expect(running.exitCode).toBe(1);
    await nodes.terminate(id);
    await nodes.gone(id);
    await nodes.sql("create database restored template eclair", "postgres");
    await nodes.sql(
      "alter database restored owner to " +
        (await nodes.sql("select datdba::regrole from pg_database where datname = 'eclair'")),
      "postgres",
    );
    await nodes.sql("update eclair_ami.progress set counter = counter - 1", "restored");

    const untyped = await repoint(elsewhere);
    expect(JSON.parse(untyped.stdout)).toMatchObject({ code: "repoint.node-id" });
    const wrong = await repoint(elsewhere, "--node-id", `02${"ab".repeat(32)}`);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ code: "repoint.node-id" });
    const soon = await repoint(elsewhere, "--node-id", nodeId);
    expect(JSON.parse(soon.stdout)).toMatchObject({ code: "repoint.active" });

    const before = await nodes.forgeRecord((record) => ({
      ...record,
      updatedAt: "2026-01-01T00:00:00.000Z",
    }));
    const shown = await cli([
      ...["database", "repoint", "--state", state, "--image", imageId, "--config", elsewhere],
      ...["--reason", "x", "--node-id", "none"],
    ]);
    expect(shown.stdout).toMatch(/^at risk: everything in channels that changed since/m);
    const done = await repoint(elsewhere, "--node-id", nodeId);
    expect(done.exitCode, done.all).toBe(0);
    const record = await nodes.table.record();
    expect(record).toMatchObject({ node: before.node, database: { name: "restored" } });
    expect(record?.database.id).not.toBe(before.database.id);
    expect(record?.progress.generation).toBeGreaterThan(before.progress.generation);
    expect(await nodes.table.history()).toEqual([
      expect.objectContaining({ what: "database repoint", reason: "the old one is lost", by: "lab" }),
    ]);

    // The node goes on there, and never again where it was.
    const moved = { database: { ...nodes.configuration.database, name: "restored" } };
    const next = await nodes.launch(imageId, moved);
    expect((await nodes.active(next)).state?.eclair.info?.nodeId).toBe(nodeId);
    const back = await nodes.launch(imageId);
    await expect(nodes.active(back)).rejects.toThrow(/database\.elsewhere/);
    await Promise.all([nodes.terminate(next), nodes.terminate(back)]);
  });
});

test("the operator's role sees everything on AWS (endpoints pinned to the lab) and reads no secret", async () => {
  const nodes = await cluster(state, "operated", imageId);
  const id = await nodes.launch(imageId);
  await nodes.active(id);
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
  // The first report of an active node comes before the record is first mirrored.
  const mine = await eventually("the record to be seen", async () => {
    const status = await aws("status", "--json", "--cluster", "operated");
    const [found] = JSON.parse(status.stdout) as NodeStatus[];
    return found?.state?.record.seen === true ? found : undefined;
  });
  expect(mine).toMatchObject({
    instanceId: id,
    cluster: "operated",
    state: { role: "active", nodeId: nodes.configuration.nodeId, versions: { eclair: "0.13.0" } },
  });
  expect(mine.state?.record).toMatchObject({ seen: true });
  expect((await aws("logs", id)).stdout).toMatch(/"eclairAmi":"hand-over"/);
  const others = await aws("status", "--cluster", "repoint");
  expect(others.exitCode).toBe(others.stdout === "no instance of a cluster runs" ? 0 : 1);

  const asOperator = new SecretsManagerClient({
    ...labSettings(facts),
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      sessionToken: env.AWS_SESSION_TOKEN,
    },
  });
  for (const secret of ["operated/seeds", "operated/database"])
    await expect(asOperator.send(new GetSecretValueCommand({ SecretId: secret }))).rejects.toThrow(
      /role operated-operator is not authorized to perform: secretsmanager:GetSecretValue/,
    );
  expect((await aws("terminate", id)).stdout).toMatch(/is being terminated/);
});
