import { readFileSync } from "node:fs";
import type { ImageTest } from "../config/image-test.ts";
import { writeDurably } from "../os/files.ts";
import { requireAccount } from "../os/users.ts";
import { places } from "../places.ts";
import { fillTemplate } from "../render/template.ts";

/** bitcoind's configuration for a test, from the template's text. */
export function renderBitcoinConf(template: string, wanted: ImageTest): string {
  // `peer` is an address and a port by its schema, so nothing in it can break out of the line.
  return fillTemplate(template, { peer: wanted.peer ?? "" });
}

/** Writes what bitcoind and the test unit read. */
export function prepareImageTest(wanted: ImageTest): void {
  const template = readFileSync(`${places.templates}/bitcoin-image-test.conf.hbs`, "utf8");
  writeDurably(places.bitcoinConf, renderBitcoinConf(template, wanted), {
    uid: 0,
    gid: requireAccount("bitcoin").gid,
    mode: 0o640,
  });
  writeDurably(places.imageTest, JSON.stringify(wanted), { uid: 0, gid: 0, mode: 0o600 });
}
