import { p2ms, p2wsh } from "@scure/btc-signer";
import { HDKey } from "@scure/bip32";
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { fundingPublicKey } from "../../bootstrap/identity/channel-keys.ts";
import { fundingScripts, isPublicKey } from "../../bootstrap/identity/funding-script.ts";
import {
  requireOwnChannels,
  requireOwnNode,
  summaryOf,
  type Channel,
} from "../../bootstrap/setup/channels.ts";

const seed = Buffer.alloc(32, 1);
const path = [1_318_194_009, 2_381_679_488, 2_147_483_649];
const remote = HDKey.fromMasterSeed(Buffer.alloc(32, 2)).publicKey ?? new Uint8Array();

/** A channel in which the peer's key and the funding output stand somewhere, as in Eclair's encoding. */
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

test("keys are derived as BIP32 does: m/46'/1'/path/index', and m/47' on mainnet", () => {
  const derived = (purpose: number) =>
    HDKey.fromMasterSeed(seed).derive(`m/${purpose}'/1'/1318194009/234195840'/1'/3'`).publicKey;
  expect(fundingPublicKey(seed, "regtest", path, 3)).toEqual(derived(46));
  expect(fundingPublicKey(seed, "mainnet", path, 3)).toEqual(derived(47));
});

test("a channel that was funded with the seed is its own, as multisig and as taproot", () => {
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

test("with another seed, path or chain it is refused; what is not confirmed is not looked at", () => {
  const [script = new Uint8Array()] = fundingScripts(fundingPublicKey(seed, "regtest", path, 0), remote);
  const other = Buffer.alloc(32, 9);
  const wrong = /channel aa was not funded with the channel seed that is named/;
  expect(() => requireOwnChannels([channel("confirmed", script)], other, "regtest")).toThrow(wrong);
  expect(() => requireOwnChannels([channel("confirmed", script)], seed, "mainnet")).toThrow(wrong);
  expect(() => requireOwnChannels([channel("unconfirmed", script)], other, "regtest")).not.toThrow();
});

test("a channel of another node than the node seed's is refused", () => {
  expect(() => requireOwnNode([channel("unconfirmed", remote)], "02aa")).not.toThrow();
  expect(() => requireOwnNode([channel("unconfirmed", remote)], "03bb")).toThrow(
    /channel aa is of node 02aa/,
  );
});

test("what there is, in words", () => {
  const both = [channel("confirmed", remote), channel("confirmed", remote)];
  expect(summaryOf(both)).toEqual([
    ["channels that are not closed", "2 DATA_NORMAL"],
    ["the node's own balance in them", "2469 sat"],
  ]);
  expect(summaryOf([])[0]).toEqual(["channels that are not closed", "none"]);
});

test("a point of the curve is told from 33 bytes that begin like one", () => {
  expect(isPublicKey(remote)).toBe(true);
  expect(isPublicKey(Buffer.concat([Buffer.from([2]), Buffer.alloc(32, 0xff)]))).toBe(false);
  expect(isPublicKey(Buffer.alloc(33, 5))).toBe(false);
});
