import { existsSync, readFileSync } from "node:fs";
import { BootRecord } from "../phases.ts";
import { places } from "../places.ts";
import { healthPort } from "./health.ts";
import { InstanceState } from "./state.ts";

/** `eclair-bootstrap status`: how far the boot came, and how the supervisor stands. */
export async function status(): Promise<void> {
  if (!existsSync(places.boot))
    return console.log("the boot has not come to an end yet, see `journalctl -u eclair-bootstrap`");
  const boot = BootRecord.parse(JSON.parse(readFileSync(places.boot, "utf8")));
  console.log(`boot: ${boot.state}, begun ${boot.startedAt}`);
  for (const { name, milliseconds } of boot.phases) console.log(`  ${name.padEnd(12)} ${milliseconds} ms`);
  if (boot.failure !== undefined) {
    for (const [name, value] of Object.entries(boot.failure)) console.log(`  ${name}: ${String(value)}`);
    process.exitCode = 1;
  }
  // A supervisor goes on with what an earlier boot has rendered.
  if (!existsSync(places.node)) return;
  const state = await askSupervisor();
  if (state === undefined) {
    console.log(`supervisor: no answer on port ${healthPort}, see \`journalctl -u eclair-supervisor\``);
    process.exitCode = 1;
    return;
  }
  console.log(
    `role: ${state.role} since ${state.since}${state.active ? "" : `: ${state.reasons.join("; ")}`}`,
  );
  console.log(`node: ${state.nodeId} on ${state.chain}`);
  if (state.bitcoind.seen)
    console.log(`bitcoind: block ${state.bitcoind.blocks} of ${state.bitcoind.headers}`);
  if (state.lease.seen)
    console.log(`lease: ${state.lease.holder ?? "nobody's"}, ${state.lease.remaining.toFixed(1)} s left`);
  console.log(
    `record: ${state.record.seen ? `generation ${state.record.generation}, counter ${state.record.counter}` : state.record.why}`,
  );
  if (!state.ready) process.exitCode = 1;
}

/** @returns nothing where none runs, as before the first boot has come to its end, or one that hangs */
async function askSupervisor(): Promise<InstanceState | undefined> {
  let response: Response;
  try {
    response = await fetch(`http://127.0.0.1:${healthPort}/ready`, { signal: AbortSignal.timeout(3_000) });
  } catch {
    return undefined;
  }
  return InstanceState.parse(await response.json());
}
