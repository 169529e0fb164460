import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
} from "@aws-sdk/client-secrets-manager";
import { StartDBInstanceCommand, StopDBInstanceCommand } from "@aws-sdk/client-rds";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { referenceOf } from "../../bootstrap/secrets/fetch.ts";
import { setFaults, type Fault } from "../../scripts/lab/front/faults.ts";
import { readSecrets } from "../../scripts/policies/statements.ts";
import { bootsAgain } from "./boots-again.ts";
import { eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
const [image] = inject("images");

let nodes: Cluster;
let id: string;
let again: ReturnType<typeof bootsAgain>;

/** One instance for all of them: its user-data is changed and the boot's unit started anew. */
beforeAll(async () => {
  nodes = await cluster(state, "refusals", image?.id ?? "");
  await nodes.allow(readSecrets(["refusals/*"]), {
    Effect: "Allow",
    Action: "elasticloadbalancing:RegisterTargets",
    Resource: "*",
  });
  id = await nodes.launch(image?.id ?? "");
  again = bootsAgain(nodes, id);
  await eventually("the first boot to end", async () => (await again.record())?.state);
});
afterEach(() => setFaults(nodes.lab, nodes.name, []));
afterAll(() => nodes.terminate(id));

const expectRefusal: typeof again.expectRefusal = (...about) => again.expectRefusal(...about);
const expectNothing: typeof again.expectNothing = () => again.expectNothing();

async function secret(name: string, value: string): Promise<string> {
  const Name = `refusals/${name}`;
  const there = await nodes.secrets
    .send(new DescribeSecretCommand({ SecretId: Name }))
    .catch(() => undefined);
  if (there !== undefined)
    await nodes.secrets.send(new PutSecretValueCommand({ SecretId: Name, SecretString: value }));
  else await nodes.secrets.send(new CreateSecretCommand({ Name, SecretString: value }));
  return Name;
}

const longest = 200;
const later = () => Date.now() + longest * 1000;

describe("user-data that is wrong", () => {
  test.each([
    ["a truncated gzip", () => gzipSync(again.configured()).subarray(0, 60), /gzip/],
    [
      "two configuration parts",
      () => {
        const part = `--B\r\nContent-Type: application/x-eclair-ami\r\n\r\n${again.configured()}\r\n`;
        return `Content-Type: multipart/mixed; boundary="B"\r\nMIME-Version: 1.0\r\n\r\n${part}${part}--B--\r\n`;
      },
      /2 parts/,
    ],
    ["a tab", () => again.configured().replace("\ndatabase:\n  ", "\ndatabase:\n\t"), /line \d+: .*[Tt]ab/],
    [
      "a miscased key",
      () => again.configured().replace("nodeId:", "NodeID:"),
      /line \d+: NodeID is no setting \(did you mean `nodeId`\?\)/,
    ],
    [
      "an unknown chain",
      () => again.configured({ chain: "testnet3" }),
      /line \d+: chain must be one of mainnet, .*did you mean `testnet`/,
    ],
    ["a billion laughs", () => `${again.configured()}a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n`, /aliases/],
    [
      "an alias with a line's end",
      () => again.configured({ alias: "a\nb" }),
      /alias must not hold control characters/,
    ],
    [
      "a setting that moves data",
      () => again.configured({ "eclair.settings": { "db.postgres.lock-type": "none" } }),
      /eclair.settings.db.postgres.lock-type is set by the image/,
    ],
    ["two mistakes", () => again.configured({ chain: "main", alias: "" }), /chain must[\s\S]*alias/],
  ])("%s is refused", async (_what, userData, cause) => {
    await expectRefusal(userData(), "configuration.invalid", cause);
  });

  test("empty user-data starts nothing", async () => {
    expect(await again.boot("\n")).toMatchObject({ state: "idle" });
    await expectNothing();
  });
});

describe("secrets that are wrong", () => {
  test("the seed of another node", async () => {
    const name = await secret("other", randomBytes(32).toString("hex"));
    await expectRefusal(
      again.configured({ "secrets.nodeSeed": name }),
      "identity.node-id",
      /refusals\/other is that of node 0[23]/,
    );
  });

  test("a seed of 31 bytes", async () => {
    const name = await secret("short", randomBytes(31).toString("base64"));
    await expectRefusal(
      again.configured({ "secrets.channelSeed": name }),
      "secret.malformed",
      /refusals\/short must hold 32 bytes.*has 31/,
    );
  });

  test("malformed JSON, which is not shown", async () => {
    const name = await secret("malformed", '{"username": "hunter2", ');
    const { failure } = await again.boot(again.configured({ "database.secret": name }));
    expect(failure).toMatchObject({ code: "secret.malformed" });
    expect(JSON.stringify(failure)).not.toContain("hunter2");
  });

  test("a secret that isn't there, and a version stage that is gone", async () => {
    await expectRefusal(
      again.configured({ "secrets.nodeSeed": "refusals/none" }),
      "secret.missing",
      /refusals\/none/,
    );
    const gone = { id: await secret("staged", "x"), versionStage: "AWSPENDING" };
    await expectRefusal(again.configured({ "secrets.nodeSeed": gone }), "secret.missing", /stage AWSPENDING/);
  });

  test("a secret that the role may not read: the statement that would allow it is told", async () => {
    fault({
      service: "api",
      action: "GetSecretValue",
      code: "AccessDeniedException",
      status: 400,
      until: later(),
    });
    const started = performance.now();
    const { failure } = await again.boot(again.configured());
    expect(failure).toMatchObject({ code: "secret.denied", triedAgain: false });
    expect(String(failure?.["remedy"])).toContain('"Action":"secretsmanager:GetSecretValue"');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("throttled for 20 s, then fine", async () => {
    const until = Date.now() + 20_000;
    fault({ service: "api", action: "GetSecretValue", code: "ThrottlingException", status: 400, until });
    await again.setUserData(again.configured());
    await again.begin();
    expect(await again.bootEnds(120)).toMatchObject({ state: "done" });
    expect(Date.now()).toBeGreaterThan(until);
  });
});

describe("an instance metadata service that is unwell", () => {
  test("503 for 10 s, then fine", async () => {
    await again.setUserData(again.configured());
    fault({ service: "imds", status: 503, until: Date.now() + 10_000 });
    await again.begin();
    expect(await again.bootEnds()).toMatchObject({ state: "done" });
  });

  test.each([
    ["401", 401],
    ["nothing", 0],
  ])("answering %s", async (_what, status) => {
    fault({ service: "imds", status, until: later() });
    await again.begin();
    const { failure } = await again.bootEnds();
    expect(failure).toMatchObject({ phase: "load", code: "metadata.unreachable", triedAgain: true });
    await expectNothing();
  });
});

describe("a database that is wrong", () => {
  test("a wrong password", async () => {
    const { SecretString = "" } = await nodes.secrets.send(
      new GetSecretValueCommand({ SecretId: referenceOf(nodes.configuration.database.secret).id }),
    );
    const login = { ...(JSON.parse(SecretString) as object), password: "wrong" };
    const name = await secret("login", JSON.stringify(login));
    await expectRefusal(
      again.configured({ "database.secret": name }),
      "database.login",
      /refused the user and password of secret refusals\/login/,
    );
  });

  test("a database that isn't there", async () => {
    const record = await nodes.forgeRecord((one) => ({
      ...one,
      database: { ...one.database, name: "other" },
    }));
    await expectRefusal(
      again.configured({ "database.name": "other" }),
      "database.absent",
      /no database other/,
    );
    await nodes.restoreRecord(record);
  });

  test("a host that its certificate doesn't name", async () => {
    const { stdout } = await nodes.inGuest(id, `getent hosts ${nodes.configuration.database.host}`);
    await nodes.inGuest(id, `echo "${stdout.split(" ")[0]} other.example" >> /etc/hosts`);
    const record = await nodes.forgeRecord((one) => ({
      ...one,
      database: { ...one.database, host: "other.example" },
    }));
    await expectRefusal(
      again.configured({ "database.host": "other.example" }),
      "database.tls",
      /can't prove who it is/,
    );
    await nodes.restoreRecord(record);
  });

  test("down for 30 s, then up", async () => {
    await nodes.rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier: nodes.name }));
    await again.setUserData(again.configured());
    await again.begin();
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    expect(await again.record()).toBeUndefined();
    await nodes.rds.send(new StartDBInstanceCommand({ DBInstanceIdentifier: nodes.name }));
    expect(await again.bootEnds(120)).toMatchObject({ state: "done" });
  });
});

test("a target group that isn't there", async () => {
  const arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0123456789abcdef";
  const { failure } = await again.boot(again.configured({ targetGroups: [arn] }));
  expect(failure).toMatchObject({ phase: "register", code: "target-group.missing", triedAgain: false });
  const units = await nodes.inGuest(id, "systemctl is-active bitcoind eclair-supervisor eclair@a");
  expect(units.stdout.split("\n")).toEqual(["inactive", "inactive", "inactive"]);
});

test("a RAM file system that is full", async () => {
  await again.setUserData(again.configured());
  await again.begin();
  await again.bootEnds();
  await nodes.inGuest(
    id,
    "systemctl stop eclair-bootstrap eclair-supervisor bitcoind; rm -rf /run/eclair/* /run/eclair-ami/boot.json; head -c 20M /dev/zero > /run/eclair/filler; systemctl start --no-block eclair-bootstrap",
  );
  expect((await again.bootEnds()).failure).toMatchObject({
    phase: "render",
    code: "ram.full",
    triedAgain: true,
  });
  await nodes.inGuest(id, "rm /run/eclair/filler /run/eclair-ami/boot.json");
  expect(
    await eventually("the boot to be tried again", async () =>
      (await again.record())?.state === "done" ? true : undefined,
    ),
  ).toBe(true);
});

test("a volume that holds another chain", async () => {
  expect(await again.boot(again.configured())).toMatchObject({ state: "done" });
  const marker = "/var/lib/bitcoin/eclair-ami-volume.json";
  await nodes.inGuest(id, `cp ${marker} /run/marker; echo '{"chain":"signet"}' > ${marker}`);
  const { failure } = await again.boot(again.configured());
  expect(failure).toMatchObject({ phase: "chain-volume", code: "volume.chain", triedAgain: false });
  expect(String(failure?.["cause"])).toMatch(/holds signet, and the node is to be on regtest/);
  await nodes.inGuest(id, `cp --preserve=all /run/marker ${marker}`);
});

test("killed at any moment, the boot runs again and ends well", async () => {
  await again.setUserData(again.configured());
  await nodes.inGuest(
    id,
    "systemctl stop eclair-bootstrap eclair-supervisor bitcoind; umount /var/lib/bitcoin",
  );
  for (let after = 50; after <= 800; after += 75) {
    await again.begin();
    await nodes.inGuest(id, `sleep ${after / 1000}; systemctl kill --signal=SIGKILL eclair-bootstrap; true`);
  }
  expect(await again.bootEnds()).toMatchObject({ state: "done" });
  const left = await nodes.inGuest(
    id,
    "find /run/eclair /run/eclair-supervisor /run/eclair-ami -name '*.new'; findmnt -no SOURCE /var/lib/bitcoin",
  );
  expect(left.stdout).toBe("/dev/sdf");
});

function fault(one: Fault): void {
  setFaults(nodes.lab, nodes.name, [one]);
}
