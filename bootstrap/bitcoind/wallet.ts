import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { BitcoindReport } from "../contract/reports/bitcoind.ts";
import { logError, logEvent } from "../os/log.ts";
import { RpcError, type BitcoindClient } from "./rpc/client.ts";
import type { WatchedDescriptors } from "./gate/messages.ts";

const WalletNames = z.array(z.string());
const WalletFolder = z.object({ wallets: z.array(z.object({ name: z.string() })) });
const WalletInfo = z.object({
  private_keys_enabled: z.boolean(),
  scanning: z.union([z.literal(false), z.object({ progress: z.number() })]),
});
const Descriptors = z.object({
  descriptors: z.array(
    z.object({
      desc: z.string(),
      /** Whether bitcoind issues addresses of this descriptor. */
      active: z.boolean(),
      /** The first and the last index that bitcoind watches; absent for a descriptor without a range. */
      range: z.tuple([z.int(), z.int()]).optional(),
      next_index: z.int().optional(),
    }),
  ),
});
const DescriptorInfo = z.object({ checksum: z.string() });
const ImportResults = z.array(
  z.object({ success: z.boolean(), error: z.object({ message: z.string() }).optional() }),
);

/** A rescan from an old birthday takes hours, and the call answers when the rescan ends. */
const rescanMilliseconds = 24 * 3600 * 1000;
/** An import without a rescan. The examination of bitcoind waits for it. */
const refillMilliseconds = 10_000;
/** Between two questions about a rescan, and the longest time for an answer: a rescan delays it. */
const progressMilliseconds = { interval: 1_000, answer: 60_000 };
/** A rescan whose answer was lost counts as complete when its last known progress, from 0 to 1, was at least this. */
const completeProgress = 0.95;
/** The number of addresses that bitcoind watches ahead. When an address is used, bitcoind derives more by itself. */
const range = 1000;
/** With fewer addresses left, the range is extended because of addresses that another bitcoind has issued. */
const refillAt = 500;

type WalletReport = Extract<BitcoindReport, { known: true }>["wallet"];
type Descriptor = WatchedDescriptors["descriptors"][number];
/** What bitcoind watches for a descriptor: its last index, and the next address that it issues. */
type Watched = {
  readonly text: string;
  readonly active: boolean;
  readonly end: number;
  readonly next: number;
};
/** A descriptor to import. */
type Import = Descriptor & Pick<Watched, "end" | "next"> & { readonly needsRescan: boolean };

/**
 * The node's wallet in any bitcoind. With an on-chain secret, the wallet is watch-only and contains the descriptors of
 * Eclair's own keys, so the wallet is disposable. Without an on-chain secret, on regtest, bitcoind holds the keys.
 */
export class NodeWallet {
  private readonly bitcoind: BitcoindClient;
  private readonly name: string;
  private readonly watched: WatchedDescriptors | undefined;
  private importing: Promise<void> | undefined;
  /** For each descriptor, the number of addresses that this bitcoind has issued. */
  nextAddresses: readonly number[] = [];

  constructor(name: string, watched: WatchedDescriptors | undefined, client: BitcoindClient) {
    this.name = name;
    this.watched = watched;
    this.bitcoind = client;
  }

  /**
   * Creates the wallet and imports its descriptors, when they are missing or their rescan has not ended.
   * @param issued for each descriptor, the number of addresses that any bitcoind of the node has issued
   */
  async prepare(issued: readonly number[] = []): Promise<WalletReport> {
    // A wallet that an import still uses is loaded. After a restart of bitcoind it is not, and the import notices that.
    if (this.importing === undefined) await this.load();
    const info = WalletInfo.parse(await this.call("getwalletinfo"));
    const { watched } = this;
    if (watched === undefined) return { ready: true };
    if (info.private_keys_enabled)
      return this.notReady("holds private keys in bitcoind: move its coins, then rename or remove it");
    if (info.scanning !== false)
      return this.notReady(`scans the chain: ${Math.floor(info.scanning.progress * 100)} %`);
    if (this.importing !== undefined) return this.notReady("imports its descriptors");

    const existing = await this.listDescriptors();
    if (existing.some(({ text }) => !watched.descriptors.some((wanted) => wanted.text === text)))
      return this.notReady("belongs to another on-chain secret: rename or remove it");
    this.nextAddresses = watched.descriptors.map(
      ({ text }) => existing.find((found) => found.text === text)?.next ?? 0,
    );
    const imports = importsOf(watched, existing, issued);
    if (imports.length === 0) return { ready: true };
    const isRefill = imports.every(({ needsRescan }) => !needsRescan);
    this.importing = this.importDescriptors(imports, watched.birthday).finally(() => {
      this.importing = undefined;
    });
    if (!isRefill) return this.notReady("imports its descriptors");
    await this.importing;
    return { ready: true };
  }

  private notReady(problem: string): WalletReport {
    return { ready: false, reason: `the wallet ${this.name} ${problem}` };
  }

  private call(method: string, params: readonly unknown[] = [], milliseconds?: number): Promise<unknown> {
    return this.bitcoind(method, params, {
      wallet: this.name,
      ...(milliseconds !== undefined && { milliseconds }),
    });
  }

  private async load(): Promise<void> {
    if (WalletNames.parse(await this.bitcoind("listwallets")).includes(this.name)) return;
    const { wallets } = WalletFolder.parse(await this.bitcoind("listwalletdir"));
    if (wallets.some((wallet) => wallet.name === this.name)) {
      await this.bitcoind("loadwallet", [this.name]);
      return;
    }
    const watchOnly = this.watched !== undefined;
    await this.bitcoind("createwallet", {
      wallet_name: this.name,
      disable_private_keys: watchOnly,
      blank: watchOnly,
    });
    logEvent("wallet.created", { wallet: this.name, watchOnly });
  }

  private async listDescriptors(): Promise<Watched[]> {
    return Descriptors.parse(await this.call("listdescriptors")).descriptors.map(
      ({ desc, active, range: [, end] = [0, 0], next_index: next = 0 }) => ({
        text: withoutChecksum(desc),
        active,
        end,
        next,
      }),
    );
  }

  /**
   * Imports descriptors. bitcoind stores a descriptor before it rescans the chain, and does not resume this rescan after a
   * restart (Bitcoin Core's `importdescriptors` and `CWallet::AttachChain`), so a descriptor becomes active only when its
   * rescan has succeeded. After a failure, the next call of `prepare` imports again.
   */
  private async importDescriptors(imports: readonly Import[], birthday: number): Promise<void> {
    try {
      const checksums: string[] = [];
      for (const { text } of imports) {
        const answer = await this.bitcoind("getdescriptorinfo", [text]);
        checksums.push(DescriptorInfo.parse(answer).checksum);
      }
      const complete = imports.map((one, index) => ({ ...one, desc: `${one.text}#${checksums[index]}` }));
      const rescans = complete.filter(({ needsRescan }) => needsRescan);
      if (rescans.length === 0) {
        await this.send(complete, { active: true, timestamp: "now" }, refillMilliseconds);
      } else {
        await this.rescan(rescans, birthday);
        // bitcoind reports success also when its shutdown interrupts the rescan. This call fails then.
        const found = await this.listDescriptors();
        const scanned = complete.map((one) => ({ ...one, ...afterRescan(one, found) }));
        await this.send(scanned, { active: true, timestamp: "now" }, rescanMilliseconds);
      }
      logEvent("wallet.imported", { wallet: this.name, descriptors: imports.length });
    } catch (error) {
      logError("wallet.import-failed", error, { wallet: this.name });
    }
  }

  /** Imports descriptors that are not active, and returns when their rescan has succeeded. */
  private async rescan(imports: readonly ImportRequest[], birthday: number): Promise<void> {
    try {
      await this.send(imports, { active: false, timestamp: birthday }, rescanMilliseconds);
    } catch (error) {
      if (error instanceof RpcError || error instanceof ImportRefused) throw error;
      // A front end may end an idle connection. bitcoind continues the rescan.
      if ((await this.lastProgress()) < completeProgress) throw error;
    }
  }

  /** Waits for the end of a rescan. @returns the last progress that was seen, from 0 to 1 */
  private async lastProgress(): Promise<number> {
    for (let progress = 0; ; await sleep(progressMilliseconds.interval)) {
      const answer = await this.call("getwalletinfo", [], progressMilliseconds.answer);
      const { scanning } = WalletInfo.parse(answer);
      if (scanning === false) return progress;
      ({ progress } = scanning);
    }
  }

  private async send(
    imports: readonly ImportRequest[],
    options: { readonly active: boolean; readonly timestamp: number | "now" },
    milliseconds: number,
  ): Promise<void> {
    const requests = imports.map(({ desc, internal, end, next }) => ({
      ...{ desc, internal, ...options, range: [0, end], next_index: next },
    }));
    const results = ImportResults.parse(await this.call("importdescriptors", [requests], milliseconds));
    const failed = results.find(({ success }) => !success);
    if (failed !== undefined) throw new ImportRefused(failed.error?.message ?? "bitcoind gave no reason");
  }
}

/** bitcoind answers that it did not import a descriptor, or that its rescan failed. */
class ImportRefused extends Error {}

/** A descriptor to import, with its checksum. */
type ImportRequest = Import & { readonly desc: string };

/**
 * The descriptors to import: those that are missing or not active, and those whose range other bitcoinds have nearly used
 * up. bitcoind refuses a smaller range.
 */
function importsOf(
  { descriptors }: WatchedDescriptors,
  existing: readonly Watched[],
  issued: readonly number[],
): Import[] {
  return descriptors.flatMap((descriptor, index): Import[] => {
    const { active, end, next } = existing.find(({ text }) => text === descriptor.text) ?? absent;
    const issuedHere = issued[index] ?? 0;
    if (active && issuedHere + refillAt <= end) return [];
    return [
      {
        ...descriptor,
        // An address beyond the range may have received coins already.
        needsRescan: !active || issuedHere > end,
        ...{ end: Math.max(end, issuedHere + range), next: Math.max(next, issuedHere) },
      },
    ];
  });
}

const absent = { active: false, end: 0, next: 0 } as const;

/** The range and the next address of an import after a rescan, which extends both when it finds addresses in use. */
function afterRescan({ text, end, next }: Import, found: readonly Watched[]): Pick<Watched, "end" | "next"> {
  const watched = found.find((one) => one.text === text) ?? absent;
  return { end: Math.max(end, watched.end), next: Math.max(next, watched.next) };
}

/** A descriptor without its checksum, with `h` for hardened steps: the form in which it was imported. */
function withoutChecksum(descriptor: string): string {
  return descriptor.replace(/#.*$/, "").replaceAll("'", "h");
}
