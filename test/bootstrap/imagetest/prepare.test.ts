import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderBitcoinConf } from "../../../bootstrap/imagetest/prepare.ts";
import { root } from "../../../scripts/machine/paths.mjs";

const template = readFileSync(join(root, "templates/bitcoin-image-test.conf.hbs"), "utf8");
const document = { apiVersion: "eclair-ami/v1", kind: "ImageTest", id: "a" } as const;

test.each([
  ["with a peer", { ...document, peer: "100.64.8.20:18444" }, "image-test-peer.conf"],
  ["alone", document, "image-test-alone.conf"],
])("renders the configuration of bitcoind for an image test %s", async (_title, input, golden) => {
  await expect(renderBitcoinConf(template, input)).toMatchFileSnapshot(`../../support/golden/${golden}`);
});
