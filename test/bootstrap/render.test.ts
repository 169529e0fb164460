import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderBitcoinConf } from "../../bootstrap/imagetest/prepare.ts";
import { root } from "../../scripts/setup/places.mjs";

const template = readFileSync(join(root, "templates/bitcoin-image-test.conf.hbs"), "utf8");
const wanted = { apiVersion: "eclair-ami/v1", kind: "ImageTest", id: "a" } as const;

test.each([
  ["with a peer", { ...wanted, peer: "100.64.8.20:18444" }, "image-test-peer.conf"],
  ["alone", wanted, "image-test-alone.conf"],
])("bitcoind's configuration for a test %s is the golden one", async (_what, given, golden) => {
  await expect(renderBitcoinConf(template, given)).toMatchFileSnapshot(`golden/${golden}`);
});
