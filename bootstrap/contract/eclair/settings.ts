import { z } from "zod";

/**
 * Eclair's settings that a node's configuration may set, as names below `eclair.` in Eclair's reference.conf. A name that
 * ends with a dot permits every setting below it. The list excludes settings that would move data, seeds, database,
 * on-chain wallet, API or Lightning address, and settings that this project sets itself.
 */
const allowed = [
  "auto-reconnect",
  "balance-check-interval",
  "bitcoind.batch-watcher-requests",
  "blockchain-watchdog.",
  "channel.",
  "db.postgres.pool.max-size",
  "db.postgres.safety-checks.",
  "db.revoked-htlc-info-cleaner.",
  "features.",
  "initial-random-reconnect-delay",
  "invoice-expiry",
  "liquidity-ads.",
  "max-payment-attempts",
  "max-reconnect-interval",
  "multi-part-payment-expiry",
  "offers.",
  "on-chain-fees.",
  "on-the-fly-funding.",
  "onion-messages.",
  "override-init-features",
  "peer-connection.",
  "peer-storage.",
  "peer-wake-up.",
  "purge-expired-invoices.",
  "relay.",
  "router.",
  "send.",
  "trampoline-payments-enable",
];

/** The path of a setting in HOCON that needs no quotes. */
export const settingName = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/** Why a setting must not be set; undefined when it may be set. */
export function settingRefusal(setting: string): string | undefined {
  if (!settingName.test(setting)) return "is not the name of an Eclair setting";
  if (allowed.some((entry) => (entry.endsWith(".") ? setting.startsWith(entry) : setting === entry)))
    return undefined;
  if (/^(datadir|chain|server\.|api\.|bitcoind\.|db\.|node-|file-backup|tor\.|socks5\.)/.test(setting))
    return "is set by the image: it determines where data, seeds, database, wallet and addresses are";
  return "is not in the list of settings that may be set";
}

/** A value that HOCON and JSON both have. */
const Value: z.ZodType<EclairValue> = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.array(Value),
    z.record(z.string().regex(settingName), Value),
  ]),
);

export type EclairValue =
  | string
  | number
  | boolean
  | readonly EclairValue[]
  | { readonly [name: string]: EclairValue };

export const EclairSettings = z.record(z.string(), Value).superRefine((settings, context) => {
  for (const setting of Object.keys(settings)) {
    const refusal = settingRefusal(setting);
    if (refusal !== undefined) context.addIssue({ code: "custom", path: [setting], message: refusal });
  }
});
