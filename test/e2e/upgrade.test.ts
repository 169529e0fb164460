import { StartDBInstanceCommand, StopDBInstanceCommand } from "@aws-sdk/client-rds";
import { expect, inject, test } from "vitest";
import { cli, eventually, failureOf } from "./cli.ts";
import { cluster } from "./node.ts";

const state = inject("labState");
const imageId = inject("images")[0]?.id ?? "";

test("after a major upgrade, the node uses its database again when `database confirm-upgrade` has checked it", async () => {
  const nodes = await cluster(state, "upgrade", imageId);
  const confirm = () =>
    cli([
      ...["database", "confirm-upgrade", "--state", state, "--image", imageId],
      ...["--config", nodes.setupFile, "--json", "--reason", "a new major version"],
    ]);
  const progress = async () => (await nodes.table.record())?.progress;
  const first = await nodes.launch(imageId);
  await nodes.waitUntilActive(first);
  await eventually("the record to be mirrored", async () => (await nodes.table.record())?.lastEclair);
  await nodes.terminate(first);
  await nodes.waitUntilTerminated(first);
  await nodes.forgeRecord((record) => ({ ...record, updatedAt: "2026-01-01T00:00:00.000Z" }));
  expect(failureOf(await confirm())).toMatchObject({ code: "database.not-upgraded" });

  const server = { DBInstanceIdentifier: nodes.name };
  await nodes.rds.send(new StopDBInstanceCommand(server));
  await nodes.database.upgrade();
  await nodes.rds.send(new StartDBInstanceCommand(server));
  const refused = await nodes.launch(imageId);
  await expect(nodes.waitUntilActive(refused)).rejects.toThrow(/database\.clone/);
  await nodes.terminate(refused);
  await nodes.waitUntilTerminated(refused);

  await nodes.sql("update eclair_ami.progress set counter = counter - 1");
  expect(failureOf(await confirm())).toMatchObject({ code: "database.rewound" });
  await nodes.sql("update eclair_ami.progress set counter = counter + 1");
  const databaseId = await nodes.sql("select database_id from eclair_ami.binding");
  await nodes.sql("update eclair_ami.binding set database_id = gen_random_uuid()");
  expect(failureOf(await confirm())).toMatchObject({ code: "database.clone" });
  await nodes.sql(`update eclair_ami.binding set database_id = '${databaseId}'`);

  const before = await nodes.table.record();
  const confirmed = await confirm();
  expect(confirmed.exitCode, confirmed.all).toBe(0);
  expect(JSON.parse(confirmed.stdout)).toMatchObject({ changed: ["binding", "record"] });
  expect((await nodes.table.record())?.database).toEqual(before?.database);
  expect((await progress())?.generation).toBe((before?.progress.generation ?? 0) + 1);
  expect((await nodes.table.history()).at(-1)).toMatchObject({
    action: "database confirm-upgrade",
    reason: "a new major version",
  });
  expect(failureOf(await confirm())).toMatchObject({ code: "database.not-upgraded" });

  const second = await nodes.launch(imageId);
  const { report } = await nodes.waitUntilActive(second);
  expect(report?.eclair.info?.nodeId).toBe(nodes.configuration.nodeId);
  await nodes.terminate(second);
});
