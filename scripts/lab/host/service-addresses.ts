import { join } from "node:path";
import { execa } from "execa";
import { readFileIfExists, writeFileAtomically } from "../../machine/files.ts";
import { layout, type LabPaths } from "../paths.ts";

/** Address ranges on the lab's loopback interface, with 254 addresses each. */
const ranges = { rds: "100.64.9", nlb: "100.64.10" } as const;

/** Assigns an address to a database or a load balancer. The address stays assigned until the lab ends. */
export async function assignAddress(
  lab: LabPaths,
  range: keyof typeof ranges,
  name: string,
): Promise<string> {
  const file = join(layout.run(lab), `addresses-${range}.json`);
  const names = JSON.parse(readFileIfExists(file) ?? "[]") as string[];
  if (!names.includes(name)) {
    names.push(name);
    writeFileAtomically(file, JSON.stringify(names));
  }
  const address = `${ranges[range]}.${names.indexOf(name) + 1}`;
  await addLoopbackAddress(address);
  return address;
}

export async function addLoopbackAddress(address: string): Promise<void> {
  await execa("ip", ["address", "replace", `${address}/32`, "dev", "lo"]);
}
