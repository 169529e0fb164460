import { readFileSync } from "node:fs";
import type { ChainVerification } from "../contract/chain/verification.ts";
import { mountCopy } from "../os/chain-volume.ts";
import { writeDurably } from "../os/files.ts";
import { paths } from "../os/paths.ts";
import { requireAccount } from "../os/users.ts";
import { networks } from "../render/networks.ts";
import { fillTemplate } from "../render/template.ts";

/** Mounts the copy of the snapshot. */
export async function mountSnapshot({ chain }: ChainVerification): Promise<void> {
  await mountCopy(chain, requireAccount("bitcoin"));
}

/** Writes the files that bitcoind and the unit of the verification read. */
export function prepareChainVerification(document: ChainVerification): void {
  const template = readFileSync(`${paths.templates}/bitcoin-chain-verification.conf.hbs`, "utf8");
  writeDurably(paths.bitcoinConf, fillTemplate(template, networks[document.chain]), {
    uid: 0,
    gid: requireAccount("bitcoin").gid,
    mode: 0o640,
  });
  writeDurably(paths.chainVerification, JSON.stringify(document), { uid: 0, gid: 0, mode: 0o600 });
}
