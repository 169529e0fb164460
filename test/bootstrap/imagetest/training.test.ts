import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { ports } from "../../../bootstrap/contract/ports.ts";
import { trainingConfiguration } from "../../../bootstrap/imagetest/training.ts";
import { paths } from "../../../bootstrap/os/paths.ts";
import { eclairConf } from "../../../bootstrap/render/configuration-files.ts";
import { root } from "../../../scripts/machine/paths.mjs";
import { smallest } from "../../support/configuration.ts";

const template = readFileSync(join(root, "templates/eclair.conf.hbs"), "utf8");
const script = readFileSync(join(root, "packer/provision/40-train.sh"), "utf8");

/** The lines of a configuration without their values. */
const names = (text: string) => text.split("\n").map((line) => line.replace(/ = .*/, ""));

test("the training run has every setting of a node", () => {
  const login = { username: "eclair", password: "x" };
  const secrets = { database: login, bitcoind: { eclair: login }, apiPassword: "x" };
  const node = eclairConf(NodeConfiguration.parse(smallest), secrets, template);
  expect(names(trainingConfiguration(template))).toEqual(names(node));
});

test("the servers of the training run are where its configuration says", () => {
  const configuration = trainingConfiguration(template);
  expect(configuration).toContain(`rpcport = ${ports.bitcoindGateRpc}`);
  expect(script).toContain(`-rpcport=${ports.bitcoindGateRpc} `);
  const zmq = `tcp://127.0.0.1:${ports.bitcoindGateZmq}`;
  expect(configuration).toContain(`zmqblock = "${zmq}"`);
  expect(script).toContain(`-zmqpubhashblock=${zmq} -zmqpubrawtx=${zmq}`);
  expect(configuration).toContain("port = 5433");
  expect(script).toContain("-c port=5433 ");
  expect(script).toContain(`http://127.0.0.1:${ports.eclairApi}/`);
  expect(script).toContain(`/dev/tcp/127.0.0.1/${ports.lightning})`);
  expect(configuration).toContain(`sslrootcert=${paths.databaseCa}&`);
  expect(script).toContain(`run=${paths.databaseCa.replace(/\/[^/]+$/, "")}\n`);
});
