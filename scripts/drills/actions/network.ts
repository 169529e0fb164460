import { execa } from "execa";
import type { LabPaths } from "../../lab/paths.ts";

/** Packets to drop: from an address, to an address, to a TCP port, or the combination of these. */
export type PacketFilter = { readonly from?: string; readonly to?: string; readonly port?: number };

const table = "drill";

/** Runs nft in the network namespace of the lab. */
export const nftInLab = (
  { netns }: LabPaths,
  command: readonly string[],
  options: { readonly input?: string; readonly reject?: boolean } = {},
) => execa("nsenter", [`--net=/run/netns/${netns}`, "nft", ...command], options);

/** Drops the packets that match any of the filters. Replaces the filters of an earlier call. */
export async function dropPackets(lab: LabPaths, filters: readonly PacketFilter[]): Promise<void> {
  await restoreNetwork(lab);
  await nftInLab(lab, ["-f", "-"], { input: dropRules(filters) });
}

/** Drops packets for a time. One shell adds and removes the filters: the time does not contain the start of a process. */
export async function dropPacketsFor(
  { netns }: LabPaths,
  seconds: number,
  filters: readonly PacketFilter[],
): Promise<void> {
  const script = `nft -f - && sleep ${seconds} && nft delete table ip ${table}`;
  await execa("nsenter", [`--net=/run/netns/${netns}`, "sh", "-c", script], { input: dropRules(filters) });
}

function dropRules(filters: readonly PacketFilter[]): string {
  const rules = filters.map(({ from, to, port }) =>
    [
      from === undefined ? "" : `ip saddr ${from}`,
      to === undefined ? "" : `ip daddr ${to}`,
      port === undefined ? "" : `tcp dport ${port}`,
      "drop",
    ].join(" "),
  );
  const chains = ["input", "forward", "output"].map(
    (hook) => `chain ${hook} {\n type filter hook ${hook} priority filter - 5\n ${rules.join("\n ")}\n}`,
  );
  return `table ip ${table} {\n${chains.join("\n")}\n}\n`;
}

/** Removes every filter of `dropPackets`. */
export async function restoreNetwork(lab: LabPaths): Promise<void> {
  await nftInLab(lab, ["delete", "table", "ip", table], { reject: false });
}

export function bothDirections(address: string, otherAddress: string): PacketFilter[] {
  return [
    { from: address, to: otherAddress },
    { from: otherAddress, to: address },
  ];
}
