import { stackNames } from "../../infra/stack-names.ts";
import { idOf } from "../../infra/state/network.ts";
import { zones } from "../lab/addresses.ts";
import { outputsOf } from "../stack/cloudformation/stacks.ts";
import type { Target } from "../target/target.ts";

/** The subnets of a cluster's instances by the name of the zone. */
export async function nodeSubnets(target: Target, cluster: string): Promise<ReadonlyMap<string, string>> {
  const outputs = await outputsOf(target, stackNames(cluster).state);
  return new Map(zones.map(({ name }) => [name, outputs?.get(idOf("NodeSubnet", name)) ?? ""]));
}
