import { z } from "zod";

/**
 * Eclair's settings that a node's configuration may set, as names below `eclair.` in Eclair's reference.conf;
 * a name that ends with a dot stands for everything below it. Left out is whatever would move data, seeds,
 * database, on-chain wallet, API or Lightning address, and what this project sets itself.
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

/** A setting's path in HOCON that needs no quotes. */
export const settingName = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/** Whether a setting may be set, and if not, why. */
export function refusal(setting: string): string | undefined {
  if (!settingName.test(setting)) return "is no name of an Eclair setting";
  if (allowed.some((entry) => (entry.endsWith(".") ? setting.startsWith(entry) : setting === entry)))
    return undefined;
  if (/^(datadir|chain|server\.|api\.|bitcoind\.|db\.|node-|file-backup|tor\.|socks5\.)/.test(setting))
    return "is set by the image: it decides where data, seeds, database, wallet and addresses are";
  return "is not on the list of settings that may be set";
}

/** A value as HOCON and JSON both have it. */
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
    const why = refusal(setting);
    if (why !== undefined) context.addIssue({ code: "custom", path: [setting], message: why });
  }
});
