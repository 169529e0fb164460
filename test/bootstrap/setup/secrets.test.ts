import type { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, test } from "vitest";
import type { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import { adopt } from "../../../bootstrap/setup/adopt.ts";
import type { SetupContext } from "../../../bootstrap/setup/context.ts";
import { initialise } from "../../../bootstrap/setup/init.ts";
import { nodeKeys } from "../../../bootstrap/setup/secrets.ts";

const mnemonic = `${"abandon ".repeat(11)}about`;
const names = { nodeSeed: "demo/seeds", channelSeed: "demo/seeds", onChain: "demo/seeds" };
const setup = { cluster: "demo", chain: "regtest", secrets: names } as unknown as ClusterSetup;
const clientWith = (passphrase: string) =>
  ({
    send: async ({ input }: GetSecretValueCommand) =>
      await Promise.resolve({
        ARN: `arn:aws:secretsmanager:us-east-1:123456789012:secret:${input.SecretId}-AbCdEf`,
        VersionId: "v1",
        SecretString: JSON.stringify({
          ...{ nodeSeed: "11".repeat(32), channelSeed: "22".repeat(32), mnemonic, passphrase },
        }),
      }),
  }) as unknown as SecretsManagerClient;
const keysWith = async (passphrase: string, isNew: boolean) =>
  await nodeKeys(setup, clientWith(passphrase), { create: false, isNew, now: new Date() });

/** One character, and a letter with a combining accent: BIP39 requires the second form. */
const composed = "caf\u00E9";
const decomposed = "cafe\u0301";

test("a new node is refused a passphrase that is not in the form NFKD, and the passphrase is not shown", async () => {
  const refusal = keysWith(composed, true);
  await expect(refusal).rejects.toMatchObject({
    code: "secret.malformed",
    message: expect.stringMatching(/secret demo\/seeds contains .*NFKD/),
    remedy: expect.stringContaining("e\\u0301"),
  });
  await expect(refusal).rejects.not.toThrow(/caf/);
  await expect(keysWith(decomposed, true)).resolves.toMatchObject({ created: [] });
});

test("a node that exists keeps its passphrase, because another text has other keys", async () => {
  const [kept, normalised] = await Promise.all([keysWith(composed, false), keysWith(decomposed, false)]);
  expect(kept.keys.node).not.toEqual(normalised.keys.node);
});

/** The context of a setup that ends after it has read the secrets, because another cluster owns the node. */
async function contextWith(record: object | undefined): Promise<SetupContext> {
  const { keys } = await keysWith(composed, false);
  const table = {
    ...{ name: "eclair-ami", cluster: "demo" },
    record: async () => await Promise.resolve(record),
    ownerOf: async () => await Promise.resolve("another"),
  };
  const withNodeId = { ...setup, nodeId: keys.node.nodeId };
  const context = { setup: withNodeId, task: {}, table, secrets: clientWith(composed), ca: "" };
  return context as unknown as SetupContext;
}
const accepted = { code: "record.node-in-other-cluster" };

test("`init` refuses this passphrase for a new node, and keeps it for a node that exists", async () => {
  await expect(initialise(await contextWith(undefined))).rejects.toMatchObject({ code: "secret.malformed" });
  await expect(initialise(await contextWith({}))).rejects.toMatchObject(accepted);
});

test("`adopt` keeps this passphrase", async () => {
  await expect(adopt(await contextWith(undefined))).rejects.toMatchObject(accepted);
});
