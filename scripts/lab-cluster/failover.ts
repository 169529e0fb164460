import { ports } from "../../bootstrap/contract/ports.ts";
import { slotAddresses } from "../../bootstrap/contract/slot-addresses.ts";
import { bashInGuest } from "../lab/guest/run.ts";
import type { LabPaths } from "../lab/paths.ts";

/** The instance ids of the two hosts of a node. */
export type Pair = { readonly active: string; readonly standby: string };

/**
 * The private address of the instance that took the lease last. The reports of the instances are older: for some seconds
 * after a failover, they can show the state before it.
 */
export async function lastHolderAddress(sql: (text: string) => Promise<string>): Promise<string> {
  return await sql("select client_address from eclair_ami.epoch order by generation desc limit 1");
}

/** Ends Eclair at once, as a crash does. */
export const killEclair = "pkill -KILL -u eclair";

const slotEndpoints = Object.values(slotAddresses)
  .map((address) => `${address}:${ports.lightning}`)
  .join(" ");
/**
 * Ends when Eclair listens behind the door of a host. One process polls: with two processors, new processes would slow the
 * failover.
 */
export const untilListening = `perl -MIO::Socket::INET -e 'select undef, undef, undef, 0.01 until grep { IO::Socket::INET->new($_) } qw(${slotEndpoints})'`;

/** A result above this limit is no measurement. */
const longestMilliseconds = 600_000;

/**
 * Runs a script on the active host. All guests have the clock of this machine.
 * @returns the milliseconds from the start of the script until the standby listens for peers
 */
export async function failover(lab: LabPaths, { active, standby }: Pair, script: string): Promise<number> {
  const inGuest = async (id: string, text: string) =>
    (await bashInGuest(lab, id, text, { stdin: "ignore", reject: false })).stdout;
  const listening = inGuest(standby, `${untilListening} && date +%s%3N`);
  const started = await inGuest(active, `date +%s%3N; ${script}`);
  const milliseconds = Number(await listening) - Number(started.split("\n")[0]);
  if (!(milliseconds > 0 && milliseconds < longestMilliseconds))
    throw new Error(`the takeover was not measured: the result is ${milliseconds} ms`);
  return milliseconds;
}
