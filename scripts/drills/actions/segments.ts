import { execa } from "execa";
import { ports } from "../../../bootstrap/contract/ports.ts";
import type { DrillRun } from "../run.ts";

const table = "drill_segments";

/**
 * Counts the TCP segments with data that a host sends from its door or to the port of a peer. Linux sets the flag PSH in the last
 * segment of each write.
 * @returns a function that ends the count and returns the number
 */
export async function countSegments(
  { environment: { lab } }: DrillRun,
  address: string,
): Promise<() => Promise<number>> {
  const nft = (...command: string[]) =>
    execa("nsenter", [`--net=/run/netns/${lab.netns}`, "nft", ...command]);
  const rule = (match: string) => `ip saddr ${address} ${match} tcp flags & psh == psh counter`;
  const input = `table ip ${table} {
 chain segments {
  type filter hook prerouting priority -300
  ${rule(`tcp sport { ${ports.lightning}, ${ports.door} }`)}
  ${rule(`tcp dport ${ports.lightning}`)}
 }
}
`;
  await execa("nsenter", [`--net=/run/netns/${lab.netns}`, "nft", "-f", "-"], { input });
  return async () => {
    const { stdout } = await nft("list", "table", "ip", table);
    await nft("delete", "table", "ip", table);
    return [...stdout.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  };
}
