import { p2ms, p2wsh } from "@scure/btc-signer";
import { HDKey } from "@scure/bip32";
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { fundingPublicKey } from "../../../bootstrap/identity/channel-keys.ts";
import { fundingScripts, isPublicKey } from "../../../bootstrap/identity/funding-script.ts";
import {
  requireOwnChannels,
  requireOwnNode,
  summarize,
  type Channel,
} from "../../../bootstrap/setup/channels.ts";

const seed = Buffer.alloc(32, 1);
const path = [1_318_194_009, 2_381_679_488, 2_147_483_649];
const remote = HDKey.fromMasterSeed(Buffer.alloc(32, 2)).publicKey ?? new Uint8Array();

/** A channel whose encoding contains the key of the peer and the funding output at some offset. */
function channel(status: string, script: Uint8Array): Channel {
  const noise = () => randomBytes(300);
  return {
    id: "aa",
    encoded: Buffer.concat([noise(), remote, noise(), script, noise()]),
    data: {
      type: "DATA_NORMAL",
      commitments: {
        channelParams: { localParams: { nodeId: "02aa", fundingKeyPath: path } },
        active: [
          {
            fundingTxIndex: 0,
            localFunding: { status },
            localCommit: { spec: { toLocal: 1_234_567 } },
          },
        ],
      },
    },
  };
}

test("derives funding keys by BIP32: m/46'/1'/path/index', and m/47' on mainnet", () => {
  const derived = (purpose: number) =>
    HDKey.fromMasterSeed(seed).derive(`m/${purpose}'/1'/1318194009/234195840'/1'/3'`).publicKey;
  expect(fundingPublicKey(seed, "regtest", path, 3)).toEqual(derived(46));
  expect(fundingPublicKey(seed, "mainnet", path, 3)).toEqual(derived(47));
});

test("accepts a channel that was funded with the seed, as multisig and as taproot", () => {
  const local = fundingPublicKey(seed, "regtest", path, 0);
  expect(fundingScripts(local, remote)[0]).toEqual(
    p2wsh(
      p2ms(
        2,
        [local, remote].toSorted((a, b) => Buffer.compare(a, b)),
      ),
    ).script,
  );
  for (const script of fundingScripts(local, remote))
    expect(() => requireOwnChannels([channel("confirmed", script)], seed, "regtest")).not.toThrow();
});

test("refuses another seed and another chain, and does not check unconfirmed funding outputs", () => {
  const [script = new Uint8Array()] = fundingScripts(fundingPublicKey(seed, "regtest", path, 0), remote);
  const other = Buffer.alloc(32, 9);
  const wrong = /channel aa was not funded with the named channel seed/;
  expect(() => requireOwnChannels([channel("confirmed", script)], other, "regtest")).toThrow(wrong);
  expect(() => requireOwnChannels([channel("confirmed", script)], seed, "mainnet")).toThrow(wrong);
  expect(() => requireOwnChannels([channel("unconfirmed", script)], other, "regtest")).not.toThrow();
});

test("refuses a channel of another node", () => {
  expect(() => requireOwnNode([channel("unconfirmed", remote)], "02aa")).not.toThrow();
  expect(() => requireOwnNode([channel("unconfirmed", remote)], "03bb")).toThrow(
    /channel aa belongs to node 02aa/,
  );
});

test("summarizes the channels and the balance of the node", () => {
  const both = [channel("confirmed", remote), channel("confirmed", remote)];
  expect(summarize(both)).toEqual([
    { name: "channels that are not closed", value: "2 DATA_NORMAL" },
    { name: "balance of the node in these channels", value: "2469 sat" },
  ]);
  expect(summarize([])[0]).toEqual({ name: "channels that are not closed", value: "none" });
});

test("distinguishes a public key from other 33 bytes with the same prefix", () => {
  expect(isPublicKey(remote)).toBe(true);
  expect(isPublicKey(Buffer.concat([Buffer.from([2]), Buffer.alloc(32, 0xff)]))).toBe(false);
  expect(isPublicKey(Buffer.alloc(33, 5))).toBe(false);
});
