import { expect, test } from "vitest";
import { stringify } from "yaml";
import { parseConfiguration } from "../../../../bootstrap/contract/configuration/parse.ts";
import { describeProblems } from "../../../../bootstrap/contract/configuration/problems.ts";
import { smallest, smallestText } from "../../../support/configuration.ts";

function problemsOf(text: string): string {
  const { problems } = parseConfiguration(text);
  if (problems === undefined) throw new Error("the document has no problem");
  return describeProblems(problems);
}

const changed = (changes: object) => stringify({ ...smallest, ...changes });

const remote = { host: "10.0.0.5", rpcPort: 8332, zmqBlock: "10.0.0.5:1", zmqTx: "10.0.0.5:2", secret: "s" };
const withRemotes = (...changes: object[]) =>
  changed({ bitcoind: { remotes: changes.map((change) => ({ ...remote, ...change })) } });

test("a key that is left out has its default", () => {
  const { configuration } = parseConfiguration(smallestText);
  expect(configuration).toMatchObject({
    color: "49daaa",
    door: "on",
    failover: { silenceSeconds: 3 },
    database: { port: 5432, name: "eclair", leaseSeconds: 40, leaseRenewalSeconds: 5 },
    bitcoind: { local: { peers: [] }, wallet: "eclair" },
    java: { heapMebibytes: 1024 },
    eclair: { settings: {} },
    targetGroupArns: [],
  });
});

test("a secret is referenced by its name alone, or with a version stage", () => {
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
    "line 5: nodeID is not a known key (did you mean `nodeId`?)",
  ],
  [
    "a misspelt key of a nested mapping",
    changed({ database: { ...smallest.database, leaseSecond: 9 } }),
    "database.leaseSecond is not a known key (did you mean `leaseSeconds`?)",
  ],
  [
    "a misspelt key in the reference to a secret",
    changed({ secrets: { ...smallest.secrets, nodeSeed: { id: "a", stage: "b" } } }),
    "secrets.nodeSeed.stage is not a known key",
  ],
  ["an unknown key that resembles no known key", changed({ xyzzyx: 1 }), "xyzzyx is not a known key"],
  ["a missing key", changed({ alias: undefined }), "alias is missing"],
  [
    "a wrong kind",
    changed({ kind: "node" }),
    "line 2: kind must be one of Node, ClusterSetup, ImageTest, ChainVerification (did you mean `Node`?)",
  ],
  [
    "a miscased kind",
    smallestText.replace("kind:", "Kind:"),
    "line 2: kind is missing (`Kind` must be written `kind`)",
  ],
  ["a wrong version", changed({ apiVersion: "eclair-ami/v2" }), "line 1: apiVersion must be eclair-ami/v1"],
  ["a wrong chain", changed({ chain: "Mainnet" }), "did you mean `mainnet`?"],
  ["a wrong type", changed({ alias: 5 }), "line 6: alias must be a text, and is a whole number"],
  [
    "an invalid value in a list",
    changed({ targetGroupArns: ["x"] }),
    "targetGroupArns[0] must be the ARN of a target group",
  ],
  ["an alias of 33 bytes", changed({ alias: "é".repeat(17) }), "alias must not be longer than 32 bytes"],
  ["an alias with a line break", changed({ alias: "a\nb" }), "alias must not contain control characters"],
  [
    "a lease renewal that is too slow",
    changed({ database: { ...smallest.database, leaseRenewalSeconds: 20 } }),
    "database.leaseRenewalSeconds must be less than half",
  ],
  [
    "one remote bitcoind, as before the first release",
    changed({ bitcoind: { remote: {} } }),
    "bitcoind.remote is not a known key: it is now called `bitcoind.remotes`",
  ],
  ["no bitcoind", changed({ bitcoind: {} }), "bitcoind must contain `local`, or at least one of `remotes`"],
  [
    "a remote bitcoind that is listed twice",
    withRemotes({}, {}),
    "bitcoind.remotes[1] is 10.0.0.5:8332, which the list contains already",
  ],
  [
    "a remote bitcoind with a public address and without TLS",
    withRemotes({ host: "8.8.8.8", tls: "off" }),
    "bitcoind.remotes[0].host is a public address, which needs `tls: on`",
  ],
  [
    "a public ZMQ publisher without TLS",
    withRemotes({ zmqTx: "[2606:4700::1]:1", tls: "off" }),
    "bitcoind.remotes[0].zmqTx is a public address, which needs `tls: on`",
  ],
  [
    "several bitcoinds without an on-chain secret",
    changed({ bitcoind: { local: {}, remotes: [remote] } }),
    "secrets.onChain is missing: several bitcoinds can watch the same keys, but each has its own wallet",
  ],
  [
    "a private address on mainnet",
    changed({
      chain: "mainnet",
      secrets: { ...smallest.secrets, onChain: "c" },
      publicAddresses: ["8.8.8.8", "10.0.0.1"],
    }),
    "publicAddresses[1] is a private or reserved address: no peer on mainnet can reach it",
  ],
  ["mainnet without an on-chain secret", changed({ chain: "mainnet" }), "secrets.onChain is missing"],
  [
    "a public address with a port",
    changed({ publicAddresses: ["203.0.113.7:9735"] }),
    "publicAddresses[0] must be an IP address or a host name, without a port",
  ],
  [
    "two host names",
    changed({ publicAddresses: ["a.example", "b.example"] }),
    "publicAddresses must not contain more than one host name",
  ],
  [
    "a database with an IP address as its host",
    changed({ database: { ...smallest.database, host: "10.0.0.1" } }),
    "database.host must be a host name",
  ],
  ["a tab as indentation", "apiVersion: eclair-ami/v1\nkind: Node\ndatabase:\n\tport: 1\n", "line 4: "],
  [
    "a duplicate key",
    `${smallestText}alias: other\n`,
    "line 15: has a key that its mapping contains already",
  ],
  [
    "a YAML alias",
    `${smallestText}a: &a [1]\nb: *a\n`,
    "line 16: b is an alias (`*name`), which is not allowed",
  ],
  ["a YAML list", "- a\n", "must be a YAML mapping"],
])("refuses %s, and names its line and key", (_title, text, message) => {
  expect(problemsOf(text)).toContain(message);
});

test("reports all problems at once, in the order of their lines", () => {
  const lines = problemsOf(changed({ alias: "", color: "red", chain: "x" })).split("\n");
  expect(lines.map((line) => line.split(" ")[2])).toEqual(["chain", "alias", "color"]);
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
])("refuses the Eclair setting %s, which the image sets", (setting) => {
  const text = changed({ eclair: { settings: { [setting]: "x" } } });
  expect(problemsOf(text)).toContain(`eclair.settings.${setting} is set by the image`);
});

test.each(['a"b', "a.b }\n c", "${x}", "include", "akka.loglevel"])(
  "refuses %j as the name of an Eclair setting",
  (setting) => {
    expect(problemsOf(changed({ eclair: { settings: { [setting]: "x" } } }))).toMatch(
      /is not the name of an Eclair setting|is not in the list/,
    );
  },
);

test("accepts the Eclair settings that may be set, unchanged", () => {
  const settings = { "relay.fees.public-channels.fee-base-msat": 5, "features.keysend": "optional" };
  expect(parseConfiguration(changed({ eclair: { settings } })).configuration).toMatchObject({
    eclair: { settings },
  });
});

test.each([
  [
    "a renamed key",
    changed({ targetGroups: [] }),
    "targetGroups is not a known key: it is now called `targetGroupArns`",
  ],
  [
    "a renamed key of a nested mapping",
    changed({ record: { takeoverWithout: true } }),
    "record.takeoverWithout is not a known key: it is now called `record.allowStartWithoutRecord`",
  ],
  [
    "a renamed value",
    changed({ java: { compiler: "full" } }),
    "java.compiler must be one of c1, tiered: it is now called `tiered`",
  ],
])("refuses %s, and gives the new name", (_title, text, message) => {
  expect(problemsOf(text)).toContain(message);
});
