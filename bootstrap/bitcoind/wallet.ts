import { z } from "zod";
import type { NodeConfiguration } from "../contract/configuration/node.ts";
import type { BitcoindReport } from "../contract/reports/instance.ts";
import { logError, logEvent } from "../os/log.ts";
import type { SupervisorSecrets } from "../secrets/supervisor.ts";
import type { BitcoindClient } from "./client.ts";

const WalletNames = z.array(z.string());
const WalletFolder = z.object({ wallets: z.array(z.object({ name: z.string() })) });
const WalletInfo = z.object({
  private_keys_enabled: z.boolean(),
  scanning: z.union([z.literal(false), z.object({ progress: z.number() })]),
});
const Descriptors = z.object({ descriptors: z.array(z.object({ desc: z.string() })) });
const DescriptorInfo = z.object({ checksum: z.string() });
const ImportResults = z.array(
  z.object({ success: z.boolean(), error: z.object({ message: z.string() }).optional() }),
);

/** A rescan from an old birthday takes hours, and the call answers when the rescan ends. */
const rescanMilliseconds = 24 * 3600 * 1000;
/** The number of addresses that Eclair can use before bitcoind derives more by itself. */
const range = 1000;

type WalletReport = Extract<BitcoindReport, { known: true }>["wallet"];

/**
 * The node's wallet in any bitcoind. With an on-chain secret, the wallet is watch-only and contains the descriptors of
 * Eclair's own keys, so the wallet is disposable. Without an on-chain secret, on regtest, bitcoind holds the keys.
 */
export class NodeWallet {
  private readonly bitcoind: BitcoindClient;
  private readonly name: string;
  private readonly watched: SupervisorSecrets["watched"];
  private importing: Promise<void> | undefined;

  constructor(
    { bitcoind }: NodeConfiguration,
    watched: SupervisorSecrets["watched"],
    client: BitcoindClient,
  ) {
    this.name = bitcoind.wallet;
    this.watched = watched;
    this.bitcoind = client;
  }

  /** Creates the wallet and imports its descriptors, when they are missing. */
  async prepare(): Promise<WalletReport> {
    await this.load();
    const info = WalletInfo.parse(await this.call("getwalletinfo"));
    if (this.watched === undefined) return { ready: true };
    if (info.private_keys_enabled)
      return this.notReady("holds private keys in bitcoind: move its coins, then rename or remove it");
    if (info.scanning !== false)
      return this.notReady(`scans the chain: ${Math.floor(info.scanning.progress * 100)} %`);
    if (this.importing !== undefined) return this.notReady("imports its descriptors");

    const existing = Descriptors.parse(await this.call("listdescriptors")).descriptors.map(({ desc }) =>
      withoutChecksum(desc),
    );
    const wanted = this.watched.descriptors.map(({ text }) => text);
    if (existing.some((text) => !wanted.includes(text)))
      return this.notReady("belongs to another on-chain secret: rename or remove it");
    if (wanted.every((text) => existing.includes(text))) return { ready: true };
    this.importing = this.importDescriptors(this.watched).finally(() => {
      this.importing = undefined;
    });
    return this.notReady("imports its descriptors");
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

  private async importDescriptors(watched: NonNullable<SupervisorSecrets["watched"]>): Promise<void> {
    try {
      const requests = [];
      for (const { text, internal } of watched.descriptors) {
        const { checksum } = DescriptorInfo.parse(await this.bitcoind("getdescriptorinfo", [text]));
        const desc = `${text}#${checksum}`;
        requests.push({ desc, internal, active: true, timestamp: watched.birthday, range });
      }
      const results = ImportResults.parse(
        await this.call("importdescriptors", [requests], rescanMilliseconds),
      );
      const failed = results.find(({ success }) => !success);
      if (failed !== undefined) throw new Error(failed.error?.message ?? "bitcoind gave no reason");
      logEvent("wallet.imported", { wallet: this.name, descriptors: results.length });
    } catch (error) {
      // The next call of `prepare` imports again.
      logError("wallet.import-failed", error, { wallet: this.name });
    }
  }
}

/** A descriptor without its checksum, with `h` for hardened steps: the form in which it was imported. */
function withoutChecksum(descriptor: string): string {
  return descriptor.replace(/#.*$/, "").replaceAll("'", "h");
}
