import { join } from "node:path";
import { execa } from "execa";
import { readIfThere, writeWhole } from "../../core/files.ts";
import { layout, type LabPlace } from "../place.ts";

/** Ranges of addresses that are given out as they are needed: 254 each, on the lab's loopback. */
const ranges = { rds: "100.64.9", nlb: "100.64.10" } as const;

/** Gives a database or a load balancer an address of its own, for as long as the lab is there. */
export async function addressOf(lab: LabPlace, range: keyof typeof ranges, name: string): Promise<string> {
  const file = join(layout.run(lab), `addresses-${range}.json`);
  const names = JSON.parse(readIfThere(file) ?? "[]") as string[];
  if (!names.includes(name)) {
    names.push(name);
    writeWhole(file, JSON.stringify(names));
  }
  const address = `${ranges[range]}.${names.indexOf(name) + 1}`;
  await execa("ip", ["address", "replace", `${address}/32`, "dev", "lo"]);
  return address;
}
