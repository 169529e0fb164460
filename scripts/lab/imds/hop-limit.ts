import { execa } from "execa";
import { services } from "../addresses.ts";

/** The HttpPutResponseHopLimit of each instance, by private address. */
export type HopLimits = ReadonlyMap<string, number>;

/**
 * Sets the instance's hop limit as the TTL of each response of the metadata service. With a limit of 1, a response
 * reaches the instance and nothing behind the instance.
 */
export function hopLimitRules(limits: HopLimits): string {
  const rules = [...limits].map(
    ([address, hops]) =>
      `    ip saddr ${services.metadata} ip daddr ${address} ip ttl set ${Math.min(64, Math.max(1, hops))}`,
  );
  return `table ip hop_limit
delete table ip hop_limit
table ip hop_limit {
  chain output {
    type filter hook output priority mangle;
${rules.join("\n")}
  }
}
`;
}

export async function applyHopLimits(limits: HopLimits): Promise<void> {
  await execa("nft", ["-f", "-"], { input: hopLimitRules(limits) });
}
