import { z } from "zod";
import type { BitcoindReport } from "../contract/reports/bitcoind.ts";
import { logError, logEvent } from "../os/log.ts";
import type { BitcoindClient } from "./rpc/client.ts";
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
/** The number of addresses that bitcoind watches ahead. When an address is used, bitcoind derives more by itself. */
const range = 1000;
/** With fewer addresses left, the range is extended because of addresses that another bitcoind has issued. */
const refillAt = 500;

type WalletReport = Extract<BitcoindReport, { known: true }>["wallet"];
type Descriptor = WatchedDescriptors["descriptors"][number];
/** What bitcoind watches for a descriptor: its last index, and the next address that it issues. */
type Watched = { readonly text: string; readonly end: number; readonly next: number };

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
   * Creates the wallet and imports its descriptors, when they are missing.
   * @param issued for each descriptor, the number of addresses that any bitcoind of the node has issued
   */
  async prepare(issued: readonly number[] = []): Promise<WalletReport> {
    await this.load();
    const info = WalletInfo.parse(await this.call("getwalletinfo"));
    const { watched } = this;
    if (watched === undefined) return { ready: true };
    if (info.private_keys_enabled)
      return this.notReady("holds private keys in bitcoind: move its coins, then rename or remove it");
    if (info.scanning !== false)
      return this.notReady(`scans the chain: ${Math.floor(info.scanning.progress * 100)} %`);
    if (this.importing !== undefined) return this.notReady("imports its descriptors");

    const existing = Descriptors.parse(await this.call("listdescriptors")).descriptors.map(
      ({ desc, range: [, end] = [0, 0], next_index: next = 0 }) => ({
        text: withoutChecksum(desc),
        end,
        next,
      }),
    );
    if (existing.some(({ text }) => !watched.descriptors.some((wanted) => wanted.text === text)))
      return this.notReady("belongs to another on-chain secret: rename or remove it");
    this.nextAddresses = watched.descriptors.map(
      ({ text }) => existing.find((found) => found.text === text)?.next ?? 0,
    );
    const requests = importRequests(watched, existing, issued);
    if (requests.length === 0) return { ready: true };
    const isRefill = requests.every(({ timestamp }) => timestamp === "now");
    const milliseconds = isRefill ? refillMilliseconds : rescanMilliseconds;
    this.importing = this.importDescriptors(requests, milliseconds).finally(() => {
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

  private async importDescriptors(requests: readonly ImportRequest[], milliseconds: number): Promise<void> {
    try {
      const complete = [];
      for (const { desc, ...request } of requests) {
        const { checksum } = DescriptorInfo.parse(await this.bitcoind("getdescriptorinfo", [desc]));
        complete.push({ desc: `${desc}#${checksum}`, ...request });
      }
      const results = ImportResults.parse(await this.call("importdescriptors", [complete], milliseconds));
      const failed = results.find(({ success }) => !success);
      if (failed !== undefined) throw new Error(failed.error?.message ?? "bitcoind gave no reason");
      logEvent("wallet.imported", { wallet: this.name, descriptors: results.length });
    } catch (error) {
      // The next call of `prepare` imports again.
      logError("wallet.import-failed", error, { wallet: this.name });
    }
  }
}

/** An argument of `importdescriptors`. */
type ImportRequest = {
  readonly desc: string;
  readonly internal: boolean;
  readonly active: true;
  readonly timestamp: number | "now";
  readonly range: number | readonly [number, number];
  readonly next_index?: number;
};

/** The descriptors to import: those that are missing, and those whose range other bitcoinds have nearly used up. */
function importRequests(
  { descriptors, birthday }: WatchedDescriptors,
  existing: readonly Watched[],
  issued: readonly number[],
): ImportRequest[] {
  return descriptors.flatMap(({ text, internal }: Descriptor, index): ImportRequest[] => {
    const common = { desc: text, internal, active: true } as const;
    const found = existing.find((watched) => watched.text === text);
    const issuedHere = issued[index] ?? 0;
    if (found === undefined)
      return [{ ...common, timestamp: birthday, range: Math.max(range, issuedHere + range) }];
    if (issuedHere + refillAt <= found.end) return [];
    // An address beyond the range may have received coins already.
    const timestamp = issuedHere > found.end ? birthday : "now";
    const next_index = Math.max(found.next, issuedHere);
    return [{ ...common, timestamp, range: [0, issuedHere + range], next_index }];
  });
}

/** A descriptor without its checksum, with `h` for hardened steps: the form in which it was imported. */
function withoutChecksum(descriptor: string): string {
  return descriptor.replace(/#.*$/, "").replaceAll("'", "h");
}
