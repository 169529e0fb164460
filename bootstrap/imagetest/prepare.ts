import { readFileSync } from "node:fs";
import type { ImageTest } from "../contract/configuration/image-test.ts";
import { writeDurably } from "../os/files.ts";
import { paths } from "../os/paths.ts";
import { requireAccount } from "../os/users.ts";
import { fillTemplate } from "../render/template.ts";

/** Renders the configuration of bitcoind for an image test. */
export function renderBitcoinConf(template: string, { peer }: ImageTest): string {
  // The schema permits only an address and a port, so the peer cannot break out of its line.
  return fillTemplate(template, { peer: peer ?? "" });
}

/** Writes the files that bitcoind and the unit of the image test read. */
export function prepareImageTest(document: ImageTest): void {
  const template = readFileSync(`${paths.templates}/bitcoin-image-test.conf.hbs`, "utf8");
  writeDurably(paths.bitcoinConf, renderBitcoinConf(template, document), {
    uid: 0,
    gid: requireAccount("bitcoin").gid,
    mode: 0o640,
  });
  writeDurably(paths.imageTest, JSON.stringify(document), { uid: 0, gid: 0, mode: 0o600 });
}
