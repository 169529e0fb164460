import { z } from "zod";
import type { NodeConfiguration } from "../config/node.ts";
import { messageOf } from "../failure.ts";
import { logLine } from "../log.ts";
import type { SupervisorSecrets } from "../secrets/supervisor.ts";
import type { Rpc } from "./rpc.ts";

const WalletNames = z.array(z.string());
const WalletFolder = z.object({ wallets: z.array(z.object({ name: z.string() })) });
const WalletInfo = z.object({
  private_keys_enabled: z.boolean(),
  scanning: z.union([z.literal(false), z.object({ progress: z.number() })]),
});
const Descriptors = z.object({ descriptors: z.array(z.object({ desc: z.string() })) });
const DescriptorInfo = z.object({ checksum: z.string() });
const Imported = z.array(
  z.object({ success: z.boolean(), error: z.object({ message: z.string() }).optional() }),
);

/** A rescan from an old birthday takes hours; the call answers when it is over. */
const rescanMilliseconds = 24 * 3600 * 1000;
/** As many addresses as Eclair could use before bitcoind tops them up by itself. */
const range = 1000;

/**
 * The node's wallet in whatever bitcoind there is. With an on-chain secret it is watch-only, made from the
 * descriptors of Eclair's own keys, so that it can be thrown away; without one, on regtest, bitcoind's own.
 */
export class NodeWallet {
  private readonly rpc: Rpc;
  private readonly name: string;
  private readonly watched: SupervisorSecrets["watched"];
  private importing: Promise<void> | undefined;

  constructor({ bitcoind }: NodeConfiguration, watched: SupervisorSecrets["watched"], rpc: Rpc) {
    this.name = bitcoind.wallet;
    this.watched = watched;
    this.rpc = rpc;
  }

  /** True when Eclair can use it; else why not, and what is missing is begun. */
  async prepare(): Promise<true | string> {
    await this.load();
    const info = WalletInfo.parse(await this.call("getwalletinfo"));
    if (this.watched === undefined) return true;
    if (info.private_keys_enabled)
      return `the wallet ${this.name} in bitcoind holds private keys: move its coins, then rename or remove it`;
    if (info.scanning !== false)
      return `the wallet ${this.name} looks through the chain: ${Math.floor(info.scanning.progress * 100)} %`;
    if (this.importing !== undefined) return `the wallet ${this.name} is being made`;

    const there = Descriptors.parse(await this.call("listdescriptors")).descriptors.map(({ desc }) =>
      plain(desc),
    );
    const wanted = this.watched.descriptors.map(({ text }) => text);
    if (there.some((text) => !wanted.includes(text)))
      return `the wallet ${this.name} in bitcoind is of another on-chain secret: rename or remove it`;
    if (wanted.every((text) => there.includes(text))) return true;
    this.importing = this.importDescriptors(this.watched).finally(() => {
      this.importing = undefined;
    });
    return `the wallet ${this.name} is being made`;
  }

  private call(method: string, params: readonly unknown[] = [], milliseconds?: number): Promise<unknown> {
    return this.rpc(method, params, {
      wallet: this.name,
      ...(milliseconds !== undefined && { milliseconds }),
    });
  }

  private async load(): Promise<void> {
    if (WalletNames.parse(await this.rpc("listwallets")).includes(this.name)) return;
    const { wallets } = WalletFolder.parse(await this.rpc("listwalletdir"));
    if (wallets.some((wallet) => wallet.name === this.name)) {
      await this.rpc("loadwallet", [this.name]);
      return;
    }
    const watchOnly = this.watched !== undefined;
    await this.rpc("createwallet", {
      wallet_name: this.name,
      disable_private_keys: watchOnly,
      blank: watchOnly,
    });
    logLine("wallet", { made: this.name, watchOnly });
  }

  private async importDescriptors(watched: NonNullable<SupervisorSecrets["watched"]>): Promise<void> {
    try {
      const requests = [];
      for (const { text, internal } of watched.descriptors) {
        const { checksum } = DescriptorInfo.parse(await this.rpc("getdescriptorinfo", [text]));
        const desc = `${text}#${checksum}`;
        requests.push({ desc, internal, active: true, timestamp: watched.birthday, range });
      }
      const results = Imported.parse(await this.call("importdescriptors", [requests], rescanMilliseconds));
      const failed = results.find(({ success }) => !success);
      logLine("wallet", { imported: results.length, ...(failed && { failed: failed.error?.message }) });
    } catch (error) {
      // It is looked at again, and begun again, in the next pass.
      logLine("wallet", { failed: messageOf(error) });
    }
  }
}

/** Without its checksum, with `h` for hardened steps: as bitcoind was given it. */
function plain(descriptor: string): string {
  return descriptor.replace(/#.*$/, "").replaceAll("'", "h");
}
