import { once } from "node:events";
import { ports } from "../../contract/ports.ts";
import { logErrors } from "../../os/log-errors.ts";
import { killUnit, readJournal, readUnits, runUnit, stopUnit, syncJournal } from "../../os/systemd.ts";
import { failureReason } from "../failure-reason.ts";
import { statusServer } from "./status-server.ts";

export const checkUnit = "eclair-check.service";
/** Longer than both limits of the unit together. */
const limitMilliseconds = 150_000;

export type CheckResult = {
  readonly accepted: boolean;
  /** Eclair's own error. */
  readonly reason?: string;
};

/**
 * Lets Eclair check the rendered configuration: the unit starts Eclair with throw-away keys, an empty SQLite database and a
 * bitcoind without a chain. Eclair ends at the first step after its check.
 * @throws Error when Eclair did not reach its check
 */
export async function checkConfiguration(): Promise<CheckResult> {
  const server = statusServer().listen(ports.eclairCheckRpc, "127.0.0.1");
  try {
    await once(server, "listening");
    await runUnit(checkUnit, limitMilliseconds);
    const [unit] = await readUnits([checkUnit]);
    await syncJournal();
    return resultIn(await readJournal(unit?.invocationId ?? ""));
  } finally {
    server.closeAllConnections();
    server.close();
    await logErrors("stop-check", () => stopUnit(checkUnit));
  }
}

/** Ends a check that runs: its result is then unknown. */
export async function endCheck(): Promise<void> {
  await killUnit(checkUnit);
}

/**
 * Reads Eclair's log. `Setup` compares the chains immediately after `NodeParams`, which checks the configuration.
 * @throws Error for a log without a result
 */
export function resultIn(log: string): CheckResult {
  if (log.includes("assertion failed: chainHash mismatch")) return { accepted: true };
  const reason = failureReason(log);
  // Eclair reports every error that ends its start in this form (`Boot.onError`).
  if (reason === undefined || !log.includes("fatal error: "))
    throw new Error(`Eclair ended without a result, see \`journalctl --unit ${checkUnit}\``);
  return { accepted: false, reason };
}
