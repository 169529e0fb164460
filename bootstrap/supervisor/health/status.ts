import { existsSync } from "node:fs";
import { ports } from "../../contract/ports.ts";
import { chainTipTexts } from "../../contract/reports/chain-tip.ts";
import { InstanceReport } from "../../contract/reports/instance.ts";
import { paths } from "../../os/paths.ts";
import { readBootStatus } from "../../render/rendered.ts";

/** `eclair-bootstrap status`: prints the state of the boot and of the supervisor. */
export async function status(): Promise<void> {
  if (!existsSync(paths.boot))
    return console.log("the boot has not started yet, see `journalctl -u eclair-bootstrap`");
  const boot = readBootStatus();
  console.log(`boot: ${boot.state}, started ${boot.startedAt}`);
  for (const { name, durationMs } of boot.phases) console.log(`  ${name.padEnd(12)} ${durationMs} ms`);
  if (boot.failure !== undefined) {
    console.log(`  failed phase: ${boot.failure.phase}`);
    for (const [name, value] of Object.entries(boot.failure.error))
      console.log(`  ${name}: ${String(value)}`);
    process.exitCode = 1;
  }
  // A supervisor continues with the files of an earlier boot.
  if (!existsSync(paths.node)) return;
  const report = await readReport();
  if (report === undefined) {
    console.log(`supervisor: no answer on port ${ports.health}, see \`journalctl -u eclair-supervisor\``);
    process.exitCode = 1;
    return;
  }
  const { role, roleSince, reasons, bitcoind, lease, record } = report;
  console.log(`role: ${role} since ${roleSince}${report.active ? "" : `: ${reasons.join("; ")}`}`);
  console.log(`node: ${report.nodeId} on ${report.chain}`);
  const chain = bitcoind.known
    ? [`block ${bitcoind.blocks} of ${bitcoind.headers}`, ...chainTipTexts(report.chainTip)].join(", ")
    : bitcoind.reason;
  console.log(`bitcoind: ${chain}`);
  console.log(
    `lease: ${lease.known ? `${lease.holderEclairInstanceId ?? "no holder"}, ${lease.remainingSeconds.toFixed(1)} s left` : lease.reason}`,
  );
  console.log(
    `record: ${record.known ? `generation ${record.generation}, counter ${record.counter}` : record.reason}`,
  );
  if (!report.ready) process.exitCode = 1;
}

/** @returns undefined when no supervisor runs, or when it hangs */
async function readReport(): Promise<InstanceReport | undefined> {
  let response: Response;
  try {
    response = await fetch(`http://127.0.0.1:${ports.health}/ready`, { signal: AbortSignal.timeout(3_000) });
  } catch {
    return undefined;
  }
  return InstanceReport.parse(await response.json());
}
