import { execa } from "execa";
import type { LabPlace } from "../lab/place.ts";

/** Whose packets no longer come through: those from one address, to one, to a TCP port there, or all of these. */
export type Cut = { readonly from?: string; readonly to?: string; readonly port?: number };

const table = "drill";

const inLab = (lab: LabPlace, ...words: string[]) => [`--net=/run/netns/${lab.netns}`, ...words];

/** Cuts connections inside the lab, in one direction each; what was cut before is whole again. */
export async function cut(lab: LabPlace, cuts: readonly Cut[]): Promise<void> {
  await mend(lab);
  const rules = cuts.map(({ from, to, port }) =>
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
  const input = `table ip ${table} {\n${chains.join("\n")}\n}\n`;
  await execa("nsenter", inLab(lab, "nft", "-f", "-"), { input });
}

export async function mend(lab: LabPlace): Promise<void> {
  await execa("nsenter", inLab(lab, "nft", "delete", "table", "ip", table), { reject: false });
}

/** Both directions. */
export function between(one: string, other: string): Cut[] {
  return [
    { from: one, to: other },
    { from: other, to: one },
  ];
}
