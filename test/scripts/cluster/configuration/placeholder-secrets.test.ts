import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { chains, NodeConfiguration } from "../../../../bootstrap/contract/configuration/node.ts";
import { nodeFiles } from "../../../../bootstrap/render/node-files.ts";
import {
  placeholderPasswords,
  placeholderSecrets,
} from "../../../../scripts/cluster/configuration/placeholder-secrets.ts";
import { root } from "../../../../scripts/machine/paths.mjs";
import { smallest } from "../../../support/configuration.ts";

const template = (name: string) => readFileSync(join(root, "templates", name), "utf8");

test.each(chains)("every file of a node on %s can be shown without its secrets", (chain) => {
  const configuration = NodeConfiguration.parse({
    ...smallest,
    chain,
    secrets: { ...smallest.secrets, onChain: "demo/on-chain" },
  });
  const files = nodeFiles(
    configuration,
    placeholderSecrets(configuration),
    placeholderPasswords,
    "certificates",
    {
      eclair: template("eclair.conf.hbs"),
      bitcoin: template("bitcoin.conf.hbs"),
      signer: template("eclair-signer.conf.hbs"),
    },
  );
  const contentOf = (name: string) => String(files.find(({ path }) => path.endsWith(name))?.content);
  expect(contentOf("eclair.conf")).toContain(`chain = "${chain}"`);
  expect(contentOf("eclair-signer.conf")).toContain('mnemonics = "***"');
  expect(contentOf("bitcoin.conf")).toMatch(/^\[(main|test|testnet4|signet|regtest)\]$/m);
});
