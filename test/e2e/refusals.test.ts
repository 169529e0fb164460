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
import { referenceOf } from "../../bootstrap/contract/configuration/secret-reference.ts";
import { setFaults, type Fault } from "../../scripts/lab/front/faults.ts";
import { readSecrets } from "../../infra/policies/statements.ts";
import { bootRunner } from "./boots-again.ts";
import { cli, eventually } from "./cli.ts";
import { cluster, type Cluster } from "./node.ts";

const state = inject("labState");
const [image] = inject("images");

let nodes: Cluster;
let id: string;
let runner: ReturnType<typeof bootRunner>;

/** All tests use one instance: a test changes the user-data and starts the boot again. */
beforeAll(async () => {
  nodes = await cluster(state, "refusals", image?.id ?? "");
  await nodes.allow(readSecrets(["refusals/*"]), {
    Effect: "Allow",
    Action: "elasticloadbalancing:RegisterTargets",
    Resource: "*",
  });
  id = await nodes.launch(image?.id ?? "");
  runner = bootRunner(nodes, id);
  await eventually("the first boot to end", async () => (await runner.readEndedBoot())?.state);
});
afterEach(() => setFaults(nodes.lab, nodes.name, []));
afterAll(() => nodes.terminate(id));

const expectRefusal: typeof runner.expectRefusal = (...refusal) => runner.expectRefusal(...refusal);
const expectNothingStarted: typeof runner.expectNothingStarted = () => runner.expectNothingStarted();

async function storeSecret(name: string, value: string): Promise<string> {
  const Name = `refusals/${name}`;
  const existing = await nodes.secrets
    .send(new DescribeSecretCommand({ SecretId: Name }))
    .catch(() => undefined);
  if (existing !== undefined)
    await nodes.secrets.send(new PutSecretValueCommand({ SecretId: Name, SecretString: value }));
  else await nodes.secrets.send(new CreateSecretCommand({ Name, SecretString: value }));
  return Name;
}

const faultMilliseconds = 200_000;
const faultEnd = () => Date.now() + faultMilliseconds;

// First, because only a young instance repeats a boot that was denied.
describe("a role that received its permissions late", () => {
  test("the boot succeeds as soon as the role may read the secrets", async () => {
    const until = Date.now() + 10_000;
    injectFault({
      service: "api",
      action: "GetSecretValue",
      code: "AccessDeniedException",
      status: 400,
      until,
    });
    const { failure } = await runner.boot(runner.configurationWith());
    expect(failure).toMatchObject({ error: { code: "secret.denied", retryable: true } });
    expect(failure?.error.remedy).toMatch(/the boot tries again for the first 5 minutes/);
    await eventually("the boot to succeed", async () =>
      (await runner.readEndedBoot())?.state === "done" ? true : undefined,
    );
    expect(Date.now()).toBeGreaterThan(until);
  });
});

describe("invalid user-data", () => {
  test.each([
    ["a truncated gzip", () => gzipSync(runner.configurationWith()).subarray(0, 60), /gzip/],
    [
      "two configuration parts",
      () => {
        const part = `--B\r\nContent-Type: application/x-eclair-ami\r\n\r\n${runner.configurationWith()}\r\n`;
        return `Content-Type: multipart/mixed; boundary="B"\r\nMIME-Version: 1.0\r\n\r\n${part}${part}--B--\r\n`;
      },
      /2 parts/,
    ],
    [
      "a tab as indentation",
      () => runner.configurationWith().replace("\ndatabase:\n  ", "\ndatabase:\n\t"),
      /line \d+: .*[Tt]ab/,
    ],
    [
      "a key with the wrong capitalization",
      () => runner.configurationWith().replace("nodeId:", "NodeID:"),
      /line \d+: NodeID is not a known key \(did you mean `nodeId`\?\)/,
    ],
    [
      "an unknown chain",
      () => runner.configurationWith({ chain: "testnet3" }),
      /line \d+: chain must be one of mainnet, .*did you mean `testnet`/,
    ],
    [
      "exponential aliases",
      () => `${runner.configurationWith()}a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n`,
      /is an alias/,
    ],
    [
      "an alias with a line break",
      () => runner.configurationWith({ alias: "a\nb" }),
      /alias must not contain control characters/,
    ],
    [
      "a setting that the image sets",
      () => runner.configurationWith({ "eclair.settings": { "db.postgres.lock-type": "none" } }),
      /eclair.settings.db.postgres.lock-type is set by the image/,
    ],
    [
      "a key that was renamed",
      () => runner.configurationWith({ dataVolume: {}, "record.takeoverWithout": true }),
      /record\.takeoverWithout is not a known key: it is now called `record\.allowStartWithoutRecord`[\s\S]*dataVolume is not a known key: it is now called `chainVolume`/,
    ],
    ["two mistakes", () => runner.configurationWith({ chain: "main", alias: "" }), /chain must[\s\S]*alias/],
  ])("%s is refused, and reported to the cluster table", async (_, userData, message) => {
    const startedAt = Date.now();
    await expectRefusal(userData(), "configuration.invalid", message);
    const status = await nodes.status(id);
    expect(Date.parse(status?.reportedAt ?? "")).toBeGreaterThanOrEqual(startedAt);
    expect(status?.boot?.message).toMatch(message);
  });

  test("a #cloud-config that mentions eclair-ami is refused on the console, with its line", async () => {
    const message =
      /line 1: `#cloud-config` makes the user-data a file of cloud-init, and line 2 mentions eclair-ami/;
    await expectRefusal("#cloud-config\n# apiVersion: eclair-ami/v1\n", "configuration.invalid", message);
    await eventually("the line on the console", async () => {
      const { stdout } = await cli(["logs", id, "--state", state]);
      return message.test(stdout) ? true : undefined;
    });
  });

  test("empty user-data starts nothing", async () => {
    expect(await runner.boot("\n")).toMatchObject({ state: "idle" });
    await expectNothingStarted();
  });
});

describe("an unusable secret", () => {
  test("the seed of another node is refused", async () => {
    const name = await storeSecret("other", randomBytes(32).toString("hex"));
    await expectRefusal(
      runner.configurationWith({ "secrets.nodeSeed": name }),
      "identity.node-id-mismatch",
      /refusals\/other belongs to node 0[23]/,
    );
  });

  test("a seed of 31 bytes is refused", async () => {
    const name = await storeSecret("short", randomBytes(31).toString("base64"));
    await expectRefusal(
      runner.configurationWith({ "secrets.channelSeed": name }),
      "secret.malformed",
      /refusals\/short must contain 32 bytes.*contains 31/,
    );
  });

  test("malformed JSON is refused, and the error does not contain it", async () => {
    const name = await storeSecret("malformed", '{"username": "hunter2", ');
    const { failure } = await runner.boot(runner.configurationWith({ "database.secret": name }));
    expect(failure).toMatchObject({ error: { code: "secret.malformed" } });
    expect(JSON.stringify(failure)).not.toContain("hunter2");
  });

  test("a missing secret and a missing version stage are refused", async () => {
    await expectRefusal(
      runner.configurationWith({ "secrets.nodeSeed": "refusals/none" }),
      "secret.not-found",
      /refusals\/none/,
    );
    const missingStage = { id: await storeSecret("staged", "x"), versionStage: "AWSPENDING" };
    await expectRefusal(
      runner.configurationWith({ "secrets.nodeSeed": missingStage }),
      "secret.not-found",
      /stage AWSPENDING/,
    );
  });

  test("a secret that the role may not read ends the boot, and the remedy contains the missing statement", async () => {
    injectFault({
      service: "api",
      action: "GetSecretValue",
      code: "AccessDeniedException",
      status: 400,
      until: faultEnd(),
    });
    const { failure } = await runner.boot(runner.configurationWith());
    expect(failure).toMatchObject({ error: { code: "secret.denied" } });
    expect(failure?.error.remedy).toContain('"Action":"secretsmanager:GetSecretValue"');
    await expectNothingStarted();
  });

  test("the boot succeeds after AWS has throttled it for 20 s", async () => {
    const until = Date.now() + 20_000;
    injectFault({
      service: "api",
      action: "GetSecretValue",
      code: "ThrottlingException",
      status: 400,
      until,
    });
    await runner.setUserData(runner.configurationWith());
    await runner.start();
    expect(await runner.waitForEnd(120)).toMatchObject({ state: "done" });
    expect(Date.now()).toBeGreaterThan(until);
  });
});

describe("a failing instance metadata service", () => {
  test("the boot succeeds after the service has answered 503 for 10 s", async () => {
    await runner.setUserData(runner.configurationWith());
    injectFault({ service: "imds", status: 503, until: Date.now() + 10_000 });
    await runner.start();
    expect(await runner.waitForEnd()).toMatchObject({ state: "done" });
  });

  test.each([
    ["answers 401", 401],
    ["does not answer", 0],
  ])("the boot fails while the service %s", async (_, status) => {
    injectFault({ service: "imds", status, until: faultEnd() });
    await runner.start();
    const { failure } = await runner.waitForEnd();
    expect(failure).toMatchObject({
      phase: "load",
      error: { code: "metadata.unreachable", retryable: true },
    });
    await expectNothingStarted();
  });
});

describe("an unusable database", () => {
  test("a wrong password is refused", async () => {
    const { SecretString = "" } = await nodes.secrets.send(
      new GetSecretValueCommand({ SecretId: referenceOf(nodes.configuration.database.secret).id }),
    );
    const login = { ...(JSON.parse(SecretString) as object), password: "wrong" };
    const name = await storeSecret("login", JSON.stringify(login));
    await expectRefusal(
      runner.configurationWith({ "database.secret": name }),
      "database.login-refused",
      /refused the user name and password of secret refusals\/login/,
    );
  });

  test("a database that does not exist is refused", async () => {
    const record = await nodes.forgeRecord((current) => ({
      ...current,
      database: { ...current.database, name: "other" },
    }));
    await expectRefusal(
      runner.configurationWith({ "database.name": "other" }),
      "database.not-found",
      /no database other/,
    );
    await nodes.restoreRecord(record);
  });

  test("a host name that is not in the certificate is refused", async () => {
    const { stdout } = await nodes.inGuest(id, `getent hosts ${nodes.configuration.database.host}`);
    await nodes.inGuest(id, `echo "${stdout.split(" ")[0]} other.example" >> /etc/hosts`);
    const record = await nodes.forgeRecord((current) => ({
      ...current,
      database: { ...current.database, host: "other.example" },
    }));
    await expectRefusal(
      runner.configurationWith({ "database.host": "other.example" }),
      "database.certificate-invalid",
      /cannot be verified/,
    );
    await nodes.restoreRecord(record);
  });

  test("the boot succeeds after the database was stopped for 30 s", async () => {
    await nodes.rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier: nodes.name }));
    await runner.setUserData(runner.configurationWith());
    await runner.start();
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    expect(await runner.readEndedBoot()).toBeUndefined();
    await nodes.rds.send(new StartDBInstanceCommand({ DBInstanceIdentifier: nodes.name }));
    expect(await runner.waitForEnd(120)).toMatchObject({ state: "done" });
  });
});

test("a target group that does not exist is refused", async () => {
  const arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/none/0123456789abcdef";
  const { failure } = await runner.boot(runner.configurationWith({ targetGroupArns: [arn] }));
  expect(failure).toMatchObject({
    phase: "register",
    error: { code: "target-group.not-found", retryable: false },
  });
  const units = await nodes.inGuest(id, "systemctl is-active bitcoind eclair-supervisor eclair@a");
  expect(units.stdout.split("\n")).toEqual(["inactive", "inactive", "inactive"]);
});

test("the boot fails while the RAM file system is full, and then succeeds", async () => {
  await runner.setUserData(runner.configurationWith());
  await runner.start();
  await runner.waitForEnd();
  await nodes.inGuest(
    id,
    "systemctl stop eclair-bootstrap eclair-supervisor bitcoind; rm -rf /run/eclair/* /run/eclair-ami/boot.json; head -c 20M /dev/zero > /run/eclair/filler; systemctl start --no-block eclair-bootstrap",
  );
  expect((await runner.waitForEnd()).failure).toMatchObject({
    phase: "render",
    error: { code: "ram.full", retryable: true },
  });
  await nodes.inGuest(id, "rm /run/eclair/filler /run/eclair-ami/boot.json");
  expect(
    await eventually("the boot to be repeated", async () =>
      (await runner.readEndedBoot())?.state === "done" ? true : undefined,
    ),
  ).toBe(true);
});

test("a volume with another chain is refused", async () => {
  expect(await runner.boot(runner.configurationWith())).toMatchObject({ state: "done" });
  const marker = "/var/lib/bitcoin/eclair-ami-volume.json";
  await nodes.inGuest(
    id,
    `cp ${marker} /run/marker; echo '{"formatVersion":1,"chain":"signet"}' > ${marker}`,
  );
  const { failure } = await runner.boot(runner.configurationWith());
  expect(failure).toMatchObject({
    phase: "chain-volume",
    error: { code: "volume.chain-mismatch", retryable: false },
  });
  expect(failure?.error.message).toMatch(/contains signet, and the node's chain is regtest/);
  await nodes.inGuest(id, `cp --preserve=all /run/marker ${marker}`);
});

test("a boot that is killed at any time runs again and succeeds", async () => {
  await runner.setUserData(runner.configurationWith());
  await nodes.inGuest(
    id,
    "systemctl stop eclair-bootstrap eclair-supervisor bitcoind; umount /var/lib/bitcoin",
  );
  for (let after = 50; after <= 800; after += 75) {
    await runner.start();
    await nodes.inGuest(id, `sleep ${after / 1000}; systemctl kill --signal=SIGKILL eclair-bootstrap; true`);
  }
  expect(await runner.waitForEnd()).toMatchObject({ state: "done" });
  const leftovers = await nodes.inGuest(
    id,
    "find /run/eclair /run/eclair-supervisor /run/eclair-ami -name '*.new'; findmnt -no SOURCE /var/lib/bitcoin",
  );
  expect(leftovers.stdout).toBe("/dev/sdf");
});

function injectFault(fault: Fault): void {
  setFaults(nodes.lab, nodes.name, [fault]);
}
