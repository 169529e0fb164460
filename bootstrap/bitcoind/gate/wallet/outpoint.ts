import { RawOldTx, RawTx } from "@scure/btc-signer/script.js";
import { createHash } from "node:crypto";
import { z } from "zod";

/** An output: the id of its transaction, as bitcoind prints it, and its index. */
export type Outpoint = { readonly txid: string; readonly vout: number };

/** Outputs as an argument or a result of bitcoind. */
export const Outpoints = z.array(z.looseObject({ txid: z.string(), vout: z.int() }));

export const keyOf = ({ txid, vout }: Outpoint): string => `${txid}:${vout}`;

/** @param transaction in hex, signed or not */
export function inputsOf(transaction: string): Outpoint[] {
  const { inputs } = RawTx.decode(Buffer.from(transaction, "hex"));
  return inputs.map(({ txid, index }) => ({ txid: Buffer.from(txid).toString("hex"), vout: index }));
}

/** The id of a transaction, as bitcoind prints it: the reversed hash of the transaction without its witnesses. */
export function idOf(transaction: string): string {
  const stripped = RawOldTx.encode(RawTx.decode(Buffer.from(transaction, "hex")));
  return Buffer.from(sha256(sha256(stripped)).toReversed()).toString("hex");
}

const sha256 = (data: Uint8Array): Buffer => createHash("sha256").update(data).digest();
