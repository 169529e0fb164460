import { ports } from "../../../bootstrap/contract/ports.ts";
import type { LabPaths } from "../../lab/paths.ts";
import { nftInLab } from "./network.ts";

const table = "drill_segments";

/**
 * Counts the TCP segments with data that a host sends from its door or to the port of a peer. Linux sets the flag PSH in the last
 * segment of each write. The host receives no new connections, and cannot reach another host's door: its door would pass the answers
 * of another host's Eclair, also to a client whose connection is older.
 */
export async function countSegments(lab: LabPaths, address: string): Promise<void> {
  const rule = (match: string) => `ip saddr ${address} ${match} tcp flags & psh == psh counter`;
  const both = `{ ${ports.lightning}, ${ports.door} }`;
  await nftInLab(lab, ["-f", "-"], {
    input: `table ip ${table} {
 chain segments {
  type filter hook prerouting priority -300
  ip daddr ${address} tcp dport ${both} tcp flags & (syn | ack) == syn drop
  ip saddr ${address} tcp dport ${ports.door} drop
  ${rule(`tcp sport ${both}`)}
  ${rule(`tcp dport ${ports.lightning}`)}
 }
 chain local {
  type filter hook output priority -300
  ip daddr ${address} tcp dport ${both} tcp flags & (syn | ack) == syn drop
 }
}
`,
  });
}

export async function countedSegments(lab: LabPaths): Promise<number> {
  const { stdout } = await nftInLab(lab, ["list", "table", "ip", table]);
  return [...stdout.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

export async function stopCountingSegments(lab: LabPaths): Promise<void> {
  await nftInLab(lab, ["delete", "table", "ip", table], { reject: false });
}
