import { createHash } from "node:crypto";
import { existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { root } from "../machine/paths.mjs";

/** The names and paths of one lab. All of them derive from its state folder, so that labs do not collide. */
export type LabPaths = {
  /** Eight hex digits, unique on this machine. */
  readonly id: string;
  /** The state folder. */
  readonly state: string;
  readonly netns: string;
  /** The host's end of the veth pair between the host and the lab. */
  readonly hostLink: string;
  readonly nftTable: string;
  readonly cgroup: string;
};

/** ECLAIR_AMI_LAB, or `.lab` in the checkout. */
export function defaultStateFolder(): string {
  return resolve(process.env["ECLAIR_AMI_LAB"] ?? join(root, ".lab"));
}

export function labPaths(stateFolder: string): LabPaths {
  const state = realFolder(resolve(stateFolder));
  const id = createHash("sha256").update(state).digest("hex").slice(0, 8);
  return {
    id,
    state,
    netns: `eal-${id}`,
    hostLink: `eal-${id}`,
    nftTable: `eclair_ami_${id}`,
    cgroup: `eclair-ami-${id}`,
  };
}

/** The same path whether the folder exists or not, and with or without a symbolic link. */
function realFolder(folder: string): string {
  if (existsSync(folder)) return realpathSync(folder);
  mkdirSync(dirname(folder), { recursive: true });
  return join(realpathSync(dirname(folder)), basename(folder));
}

/** The files and folders in a lab's state folder. */
export const layout = {
  facts: (lab: LabPaths) => join(lab.state, "lab.json"),
  log: (lab: LabPaths, name: string) => join(lab.state, "log", `${name}.log`),
  instances: (lab: LabPaths) => join(lab.state, "instances"),
  instance: (lab: LabPaths, instanceId: string) => join(lab.state, "instances", instanceId),
  image: (lab: LabPaths, imageId: string) => join(lab.state, "images", imageId),
  volume: (lab: LabPaths, volumeId: string) => join(lab.state, "volumes", `${volumeId}.img`),
  snapshot: (lab: LabPaths, snapshotId: string) => join(lab.state, "snapshots", `${snapshotId}.img`),
  databases: (lab: LabPaths) => join(lab.state, "databases"),
  /** The list of AMIs that moto starts with. */
  amis: (lab: LabPaths) => join(lab.state, "amis.json"),
  /** The properties of deployed templates that the lab's CloudFormation has read, and the others. */
  stackProperties: (lab: LabPaths) => join(lab.state, "stack-properties.json"),
  run: (lab: LabPaths) => join(lab.state, "run"),
} as const;

const marker = (lab: LabPaths) => join(lab.state, ".eclair-ami-lab");

/** Creates the state folder and marks it: only a marked folder is ever deleted. */
export function createStateFolder(lab: LabPaths): void {
  mkdirSync(lab.state, { recursive: true });
  writeFileSync(marker(lab), `${lab.id}\n`);
}

export function isStateFolder(lab: LabPaths): boolean {
  return existsSync(marker(lab));
}
