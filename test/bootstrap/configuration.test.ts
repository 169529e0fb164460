import { expect, test } from "vitest";
import { stringify } from "yaml";
import { describeProblems, parseConfiguration } from "../../bootstrap/config/parse.ts";
import { smallest, smallestText } from "../support/configuration.ts";

function problemsOf(text: string): string {
  const { problems } = parseConfiguration(text);
  if (problems === undefined) throw new Error("nothing was found wrong");
  return describeProblems(problems);
}

const changed = (changes: object) => stringify({ ...smallest, ...changes });

test("what is left out has its default", () => {
  const { configuration } = parseConfiguration(smallestText);
  expect(configuration).toMatchObject({
    color: "49daaa",
    database: { port: 5432, name: "eclair", leaseSeconds: 15, leaseRenewalSeconds: 5 },
    bitcoind: { local: { peers: [] }, wallet: "eclair" },
    java: { heapMebibytes: 1024 },
    eclair: { settings: {} },
    targetGroups: [],
  });
});

test("a secret is named by itself or with its version stage", () => {
  const secrets = { nodeSeed: { id: "a" }, channelSeed: { id: "b", versionStage: "AWSPENDING" } };
  const { configuration } = parseConfiguration(changed({ secrets }));
  expect(configuration).toMatchObject({
    secrets: {
      nodeSeed: { id: "a", versionStage: "AWSCURRENT" },
      channelSeed: { versionStage: "AWSPENDING" },
    },
  });
});

test.each([
  [
    "a miscased key",
    smallestText.replace("nodeId:", "nodeID:"),
    "line 5: nodeID is no setting (did you mean `nodeId`?)",
  ],
  [
    "a misspelt key inside",
    changed({ database: { ...smallest.database, leaseSecond: 9 } }),
    "database.leaseSecond is no setting (did you mean `leaseSeconds`?)",
  ],
  [
    "a misspelt key in a secret's reference",
    changed({ secrets: { ...smallest.secrets, nodeSeed: { id: "a", stage: "b" } } }),
    "secrets.nodeSeed.stage is no setting",
  ],
  ["a key that resembles none", changed({ xyzzyx: 1 }), "xyzzyx is no setting"],
  ["a missing key", changed({ alias: undefined }), "alias is missing"],
  [
    "a wrong kind",
    changed({ kind: "node" }),
    "line 2: kind must be one of Node, ClusterSetup, ImageTest (did you mean `Node`?)",
  ],
  [
    "a miscased kind",
    smallestText.replace("kind:", "Kind:"),
    "line 2: kind is missing; did you mean it by `Kind`?",
  ],
  ["a wrong version", changed({ apiVersion: "eclair-ami/v2" }), "line 1: apiVersion must be eclair-ami/v1"],
  ["a wrong chain", changed({ chain: "Mainnet" }), "did you mean `mainnet`?"],
  ["a wrong type", changed({ alias: 5 }), "line 6: alias Invalid input: expected string, received number"],
  [
    "a value in a list",
    changed({ targetGroups: ["x"] }),
    "targetGroups[0] must be the ARN of a target group",
  ],
  ["an alias of 33 bytes", changed({ alias: "é".repeat(17) }), "alias must not be longer than 32 bytes"],
  ["an alias with a line's end", changed({ alias: "a\nb" }), "alias must not hold control characters"],
  [
    "a renewal that is too slow",
    changed({ database: { ...smallest.database, leaseRenewalSeconds: 8 } }),
    "database.leaseRenewalSeconds must be less than half",
  ],
  ["both bitcoinds", changed({ bitcoind: { local: {}, remote: {} } }), "bitcoind"],
  ["no bitcoind", changed({ bitcoind: {} }), "bitcoind needs either `local` or `remote`"],
  ["money without on-chain keys", changed({ chain: "mainnet" }), "secrets.onChain is missing"],
  [
    "a public address with a port",
    changed({ publicAddresses: ["203.0.113.7:9735"] }),
    "publicAddresses[0] must be an IP address or a host name, without a port",
  ],
  [
    "two host names",
    changed({ publicAddresses: ["a.example", "b.example"] }),
    "publicAddresses must not hold more than one host name",
  ],
  [
    "a database by its address",
    changed({ database: { ...smallest.database, host: "10.0.0.1" } }),
    "database.host must be a host name",
  ],
  ["a tab", "apiVersion: eclair-ami/v1\nkind: Node\ndatabase:\n\tport: 1\n", "line 4: "],
  ["a key twice", `${smallestText}alias: other\n`, "Map keys must be unique"],
  ["an alias of YAML", `${smallestText}a: &a [1]\nb: *a\n`, "aliases (`*name`) are not allowed"],
  ["a list", "- a\n", "must be a YAML mapping"],
])("%s is refused, with its place", (_what, text, message) => {
  expect(problemsOf(text)).toContain(message);
});

test("everything that is wrong is told at once, in the order of the lines", () => {
  const told = problemsOf(changed({ alias: "", color: "red", chain: "x" })).split("\n");
  expect(told.map((line) => line.split(" ")[2])).toEqual(["chain", "alias", "color"]);
});

test.each([
  "datadir",
  "chain",
  "server.port",
  "api.binding-ip",
  "bitcoind.wallet",
  "bitcoind.host",
  "db.driver",
  "db.postgres.host",
  "db.postgres.lock-type",
  "db.postgres.lease.interval",
  "file-backup.notify-script",
  "tor.private-key-file",
  "node-alias",
])("the setting %s is refused", (setting) => {
  const text = changed({ eclair: { settings: { [setting]: "x" } } });
  expect(problemsOf(text)).toContain(`eclair.settings.${setting} is set by the image`);
});

test.each(['a"b', "a.b }\n c", "${x}", "include", "akka.loglevel"])(
  "no setting of the name %j",
  (setting) => {
    expect(problemsOf(changed({ eclair: { settings: { [setting]: "x" } } }))).toMatch(
      /is no name|is not on the list/,
    );
  },
);

test("settings that may be set are taken as they are", () => {
  const settings = { "relay.fees.public-channels.fee-base-msat": 5, "features.keysend": "optional" };
  expect(parseConfiguration(changed({ eclair: { settings } })).configuration).toMatchObject({
    eclair: { settings },
  });
});
