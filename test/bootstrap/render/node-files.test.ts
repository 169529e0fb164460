import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rpcauth } from "../../../bootstrap/contract/rpcauth.ts";
import { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { jdbcUrl } from "../../../bootstrap/database/url.ts";
import { bitcoinConf, eclairConf } from "../../../bootstrap/render/configuration-files.ts";
import { nodeFiles } from "../../../bootstrap/render/node-files.ts";
import { fillTemplate } from "../../../bootstrap/render/template.ts";
import type { NodeSecrets } from "../../../bootstrap/secrets/resolve.ts";
import { root } from "../../../scripts/machine/paths.mjs";
import { smallest } from "../../support/configuration.ts";

const golden = (name: string) => join(import.meta.dirname, "../../support/golden", name);
const template = (name: string) => readFileSync(join(root, "templates", name), "utf8");
const templates = {
  eclair: template("eclair.conf.hbs"),
  bitcoin: template("bitcoin.conf.hbs"),
  signer: template("eclair-signer.conf.hbs"),
};

const secrets: NodeSecrets = {
  nodeSeed: new Uint8Array(32).fill(1),
  channelSeed: new Uint8Array(32).fill(2),
  database: { username: "node", password: 'p"a$s{s}\\w' },
  bitcoind: {
    eclair: { username: "eclair", password: "rpc-e" },
    gate: { username: "gate", password: "rpc-s" },
    remotes: [],
  },
  apiPassword: "api",
};
const local = { bitcoind: "rpc-e", gate: "rpc-s", api: "api" };

const full = NodeConfiguration.parse({
  ...smallest,
  alias: 'a "b" ${HOME} #c\\ é',
  publicAddresses: ["203.0.113.7", "2001:db8::1"],
  bitcoind: { local: { peers: ["100.64.8.20:18444"] } },
  eclair: {
    settings: {
      "relay.fees.public-channels.fee-base-msat": 5,
      "override-init-features": [{ nodeid: "02aa", features: { keysend: 'a"b' } }],
    },
  },
});

/** Each rendering generates new salts. */
const withoutSalt = (text: string) => text.replaceAll(/:[0-9a-f]{32}\$[0-9a-f]{64}$/gm, ":SALT$HASH");

test("renders eclair.conf", async () => {
  await expect(eclairConf(full, secrets, templates.eclair, 2)).toMatchFileSnapshot(golden("eclair.conf"));
});

test("behind a door, the Eclair of each slot listens on the address of its slot", () => {
  const contentOf = (configuration: NodeConfiguration, path: string) =>
    nodeFiles(configuration, secrets, local, "CA", templates).find((file) => file.path === path)?.content;
  expect(contentOf(full, "/run/eclair-ami/eclair-b.env")).toBe(
    'ECLAIR_SLOT_OPTS="-Declair.server.binding-ip=127.0.0.3"\n',
  );
  const off = NodeConfiguration.parse({ ...smallest, door: "off" });
  expect(contentOf(off, "/run/eclair-ami/eclair-b.env")).toBe("");
  expect(eclairConf(off, secrets, templates.eclair, 2)).not.toContain("send-remote-address-init");
});

test("Eclair uses the gate, whichever bitcoind is behind it", () => {
  const remote = {
    host: "b.example",
    rpcPort: 8332,
    zmqBlock: "b.example:1",
    zmqTx: "b.example:2",
    secret: "s",
  };
  const remotesOnly = NodeConfiguration.parse({ ...full, bitcoind: { remotes: [remote] } });
  expect(eclairConf(remotesOnly, secrets, templates.eclair, 2)).toBe(
    eclairConf(full, secrets, templates.eclair, 2),
  );
  expect(nodeFiles(remotesOnly, secrets, local, "CA", templates).map(({ path }) => path)).not.toContain(
    "/run/eclair-ami/bitcoin.conf",
  );
});

test("renders bitcoin.conf", async () => {
  const text = bitcoinConf(full, secrets, templates.bitcoin);
  await expect(withoutSalt(text)).toMatchFileSnapshot(golden("bitcoin.conf"));
});

test("each file has its owner and mode, and no file that other users can read contains a secret", () => {
  const files = nodeFiles(full, secrets, local, "CA", templates);
  expect(
    files.map(({ path, owner, group, mode }) => `${owner}:${group} ${mode.toString(8)} ${path}`),
  ).toEqual([
    "root:root 644 /run/eclair-ami/database-ca.pem",
    "root:root 644 /run/eclair-ami/hosts-a",
    "root:root 644 /run/eclair-ami/hosts-b",
    "root:root 644 /run/eclair-ami/eclair-a.env",
    "root:root 644 /run/eclair-ami/eclair-b.env",
    "root:root 644 /run/eclair-ami/eclair.env",
    "root:bitcoin 640 /run/eclair-ami/bitcoin.conf",
    "root:root 400 /run/eclair-supervisor/secrets.json",
    "eclair:eclair 400 /run/eclair/node_seed.dat",
    "eclair:eclair 400 /run/eclair/channel_seed.dat",
    "eclair:eclair 400 /run/eclair/regtest/last_jdbcurl",
    "eclair:eclair 400 /run/eclair/eclair.conf",
  ]);
  for (const { path, content } of files.filter(({ mode }) => mode !== 0o400))
    for (const secret of [secrets.database.password, "rpc-e", "rpc-s"])
      expect(String(content), path).not.toContain(secret);
});

test("with an on-chain secret, only Eclair can read the mnemonic, and the supervisor gets public keys", async () => {
  const mnemonic = `${"abandon ".repeat(11)}about`;
  const files = nodeFiles(
    full,
    { ...secrets, onChain: { mnemonic, passphrase: 'p"${x}', birthday: 1_700_000_000 } },
    local,
    "CA",
    templates,
  );
  const signer = files.find(({ path }) => path === "/run/eclair/eclair-signer.conf");
  expect(signer).toMatchObject({ owner: "eclair", mode: 0o400 });
  await expect(signer?.content).toMatchFileSnapshot(golden("eclair-signer.conf"));
  for (const { path, content } of files.filter((file) => file !== signer))
    expect(String(content), path).not.toContain(mnemonic);
  const supervisor = files.find(({ path }) => path === "/run/eclair-supervisor/secrets.json");
  expect(JSON.parse(String(supervisor?.content))).toMatchObject({
    watched: { birthday: 1_700_000_000, descriptors: { length: 4 } },
  });
});

test("the URL of the database requires TLS and verifies the host name, and is the same on every host", () => {
  expect(jdbcUrl(full)).toBe(
    "jdbc:postgresql://demo.example.com:5432/eclair?sslmode=verify-full&sslrootcert=/run/eclair-ami/database-ca.pem&connectTimeout=5&sslResponseTimeout=7200000",
  );
});

test("Java uses its first compiler only, unless the configuration selects tiered compilation", () => {
  const environment = (configuration: typeof full) =>
    nodeFiles(configuration, secrets, local, "CA", templates).find(({ path }) => path.endsWith("eclair.env"))
      ?.content;
  expect(environment(full)).toBe('ECLAIR_JAVA_OPTS="-Xms1024m -Xmx1024m -XX:TieredStopAtLevel=1"\n');
  const java = { ...full.java, compiler: "tiered" } as const;
  expect(environment({ ...full, java })).toBe('ECLAIR_JAVA_OPTS="-Xms1024m -Xmx1024m"\n');
});

test("in each slot, the host name of the database resolves to the gate of the slot", () => {
  const files = nodeFiles(full, secrets, local, "CA", templates);
  const hosts = (name: string) => String(files.find(({ path }) => path.endsWith(name))?.content);
  expect(hosts("hosts-a")).toMatch(/^127\.0\.0\.2 demo\.example\.com$/m);
  expect(hosts("hosts-b")).toMatch(/^127\.0\.0\.3 demo\.example\.com$/m);
});

// share/rpcauth/rpcauth.py of Bitcoin Core: HMAC-SHA256 of the password with the salt's text as the key.
test("rpcauth has the value that the script of Bitcoin Core computes", () => {
  expect(rpcauth({ username: "u", password: "p" }, "00ff")).toBe(
    "u:00ff$07febce355bfafd273c7ccdb3138eb3d559d0d1bb07e2b8092a95b37c2bf2abd",
  );
});

describe("template values cannot break out of their format", () => {
  test.each(["a\nrpcuser=x", "a\r", "a # comment", "", "a\u2028b", "tab\there"])(
    "refuses in bitcoin.conf: %j",
    (value) => {
      expect(() => fillTemplate("x={{ini value}}", { value })).toThrow(/break out of its line/);
    },
  );
  test.each(['"', "\n", "${x}", "\\", "}", "#", "//"])(
    "keeps inside its quotes in eclair.conf: %j",
    (value) => {
      const text = fillTemplate("x={{hocon value}}", { value });
      expect(JSON.parse(text.slice(2))).toBe(value);
      expect(text).not.toContain("\n");
    },
  );
  test("refuses a malformed name of a setting", () => {
    expect(() => fillTemplate("{{path value}}=1", { value: "a = 1, b" })).toThrow(/malformed/);
  });
  test("refuses a missing variable and an unknown helper", () => {
    expect(() => fillTemplate("{{ini value}}", {})).toThrow(/a value for the helper ini is missing/);
    expect(() => fillTemplate("{{nothing}}", {})).toThrow(/nothing/);
    expect(() => fillTemplate("{{other value}}", { value: 1 })).toThrow(/other/);
  });
});
