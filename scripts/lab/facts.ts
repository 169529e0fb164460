import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { readIfThere, writeWhole } from "../core/files.ts";
import { layout, type LabPlace } from "./place.ts";

/** What is written down about a lab that is up. */
const LabFacts = z.strictObject({
  /** The number of its /30 out of 100.65.0.0/16. */
  link: z.int(),
  /** The process that holds the lab, as seen from this machine, and when it started (clock ticks since boot). */
  holder: z.strictObject({ pid: z.int(), startTime: z.string() }).optional(),
  /** The AWS endpoint as this machine reaches it. */
  endpoint: z.string(),
  network: z.strictObject({ vpcId: z.string(), subnetIds: z.record(z.string(), z.string()) }).optional(),
});

export type LabFacts = z.infer<typeof LabFacts>;

export function readFacts(lab: LabPlace): LabFacts | undefined {
  const text = readIfThere(layout.facts(lab));
  return text === undefined ? undefined : LabFacts.parse(JSON.parse(text));
}

export function writeFacts(lab: LabPlace, facts: LabFacts): void {
  writeWhole(layout.facts(lab), `${JSON.stringify(facts, undefined, 2)}\n`);
}

/** Field 22 of /proc/PID/stat: with it a process id names one process for ever. */
export function processStartTime(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // A zombie has ended already.
  return fields[0] === "Z" ? undefined : fields[19];
}

export function isHeld(facts: LabFacts): boolean {
  return facts.holder !== undefined && processStartTime(facts.holder.pid) === facts.holder.startTime;
}

/** nsenter's arguments to run a program among the lab's own, which have a process namespace of theirs. */
export function amongServices(lab: LabPlace, { holder }: LabFacts): string[] {
  if (holder === undefined) throw new Error(`the lab in ${lab.state} is not up`);
  const processes = `--pid=/proc/${holder.pid}/ns/pid_for_children`;
  return [`--target=${holder.pid}`, "--mount", processes, `--net=/run/netns/${lab.netns}`, "--"];
}
