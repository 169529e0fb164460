import { bashInGuest } from "../guest/run.ts";
import type { LabPlace } from "../place.ts";

/** Instance ids of a node's two hosts. */
export type Pair = { readonly active: string; readonly standby: string };

/**
 * Private address of whoever took the lease last. What instances report of themselves is older than this by a report's
 * way, so that just after a failover both may still tell what was before.
 */
export async function lastHolder(sql: (text: string) => Promise<string>): Promise<string> {
  return await sql("select client_address from eclair_ami.epoch order by generation desc limit 1");
}

/** Ends Eclair at once, as a crash does. */
export const killEclair = "pkill -KILL -u eclair";

/** One process that looks every 10 ms: what makes new ones takes part in what is measured, on two cores. */
export const untilListening =
  "perl -MIO::Socket::INET -e 'select undef, undef, undef, 0.01 until IO::Socket::INET->new(q(127.0.0.1:9735))'";

/** Milliseconds from what is done to the active host until the standby listens for peers; guests share a clock. */
export async function failover(lab: LabPlace, { active, standby }: Pair, script: string): Promise<number> {
  const inGuest = async (id: string, text: string) =>
    (await bashInGuest(lab, id, text, { stdin: "ignore", reject: false })).stdout;
  const listening = inGuest(standby, `${untilListening}; date +%s%3N`);
  const done = await inGuest(active, `date +%s%3N; ${script}`);
  return Number(await listening) - Number(done.split("\n")[0]);
}
