import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { readFileIfExists, writeFileAtomically } from "../machine/files.ts";
import { layout, type LabPaths } from "./paths.ts";

/** Increases with each incompatible change of a file in a lab's state folder. */
const formatVersion = 2;

const Process = z.strictObject({
  pid: z.int(),
  /** In clock ticks since the machine booted: a process id alone can be reused. */
  startTime: z.string(),
});

const Network = z.strictObject({ vpcId: z.string(), subnetIds: z.record(z.string(), z.string()) });

const LabFacts = z.strictObject({
  /** The number of the lab's /30 network in 100.65.0.0/16. */
  link: z.int(),
  /** The first process of the lab, by its id on this machine. */
  initProcess: Process.optional(),
  /** The URL of the lab's AWS API on this machine. */
  endpoint: z.string(),
  /** The VPC of the clusters. */
  network: Network.optional(),
  /** The VPCs of other regions and accounts. */
  otherNetworks: z.array(Network.extend({ accountId: z.string(), region: z.string() })).default([]),
});
const LabFile = LabFacts.extend({ formatVersion: z.literal(formatVersion) });

/** The facts about a lab that starts or runs. */
export type LabFacts = z.infer<typeof LabFacts>;

/**
 * @returns undefined when the state folder contains no lab
 * @throws EclairAmiError `lab.folder-in-use` when another version of eclair-ami started the lab
 */
export function readFacts(lab: LabPaths): LabFacts | undefined {
  const content = readLabFile(lab);
  if (content === undefined) return undefined;
  const found = z.looseObject({ formatVersion: z.unknown() }).safeParse(content).data?.formatVersion;
  if (found !== formatVersion)
    throw new EclairAmiError({
      code: "lab.folder-in-use",
      operation: `reading ${layout.facts(lab)}`,
      message: `another version of eclair-ami started the lab in ${lab.state} (format ${JSON.stringify(found) ?? "without a version"}, expected ${formatVersion})`,
      remedy: "run `eclair-ami lab down`, then `eclair-ami lab up`",
      exitCode: 2,
    });
  const { formatVersion: _version, ...facts } = LabFile.parse(content);
  return facts;
}

const TeardownFacts = z.looseObject({ link: z.int().optional(), initProcess: Process.optional() });
export type TeardownFacts = z.infer<typeof TeardownFacts>;

/** The facts that `lab down` needs, from a file of any version. */
export function readTeardownFacts(lab: LabPaths): TeardownFacts {
  return TeardownFacts.safeParse(readLabFile(lab)).data ?? {};
}

function readLabFile(lab: LabPaths): unknown {
  const text = readFileIfExists(layout.facts(lab));
  return text === undefined ? undefined : JSON.parse(text);
}

export function writeFacts(lab: LabPaths, facts: LabFacts): void {
  const file: z.infer<typeof LabFile> = { formatVersion, ...facts };
  writeFileAtomically(layout.facts(lab), `${JSON.stringify(file, undefined, 2)}\n`);
}

/**
 * Field 22 of /proc/PID/stat.
 * @returns undefined when the process does not exist or is a zombie
 */
export function processStartTime(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

export function isLabRunning({ initProcess }: Pick<TeardownFacts, "initProcess">): boolean {
  return initProcess !== undefined && processStartTime(initProcess.pid) === initProcess.startTime;
}

export function labNotRunning(lab: LabPaths, facts: LabFacts | undefined): EclairAmiError {
  return new EclairAmiError({
    code: "lab.not-running",
    operation: `using the lab in ${lab.state}`,
    message: facts === undefined ? "this folder contains no lab" : "the lab does not run",
    remedy: "run `eclair-ami lab up`",
  });
}

/**
 * The arguments of nsenter that run a program in the namespaces of the lab's services.
 * @throws EclairAmiError `lab.not-running`
 */
export function serviceNsenterArguments(lab: LabPaths, facts: LabFacts): string[] {
  const { initProcess } = facts;
  if (initProcess === undefined) throw labNotRunning(lab, facts);
  const processes = `--pid=/proc/${initProcess.pid}/ns/pid_for_children`;
  return [`--target=${initProcess.pid}`, "--mount", processes, `--net=/run/netns/${lab.netns}`, "--"];
}
