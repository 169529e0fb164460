import { createHash } from "node:crypto";
import { existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { root } from "../setup/places.mjs";

/** Names and files of one lab, all derived from its state folder. */
export type LabPlace = {
  /** Eight hex digits that make this lab's names its own on this machine. */
  readonly id: string;
  readonly state: string;
  readonly netns: string;
  /** The host's end of the lab's way out. */
  readonly hostLink: string;
  readonly nftTable: string;
  readonly cgroup: string;
};

/** The state folder meant when none is named: ECLAIR_AMI_LAB, or `.lab` in the checkout. */
export function defaultStateFolder(): string {
  return resolve(process.env["ECLAIR_AMI_LAB"] ?? join(root, ".lab"));
}

export function labPlace(stateFolder: string): LabPlace {
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

/** The same lab whether its folder is there yet or reached by a symbolic link. */
function realFolder(folder: string): string {
  if (existsSync(folder)) return realpathSync(folder);
  mkdirSync(dirname(folder), { recursive: true });
  return join(realpathSync(dirname(folder)), folder.slice(dirname(folder).length + 1));
}

/** What stands where below a lab's state folder. */
export const layout = {
  facts: (lab: LabPlace) => join(lab.state, "lab.json"),
  log: (lab: LabPlace, name: string) => join(lab.state, "log", `${name}.log`),
  instances: (lab: LabPlace) => join(lab.state, "instances"),
  instance: (lab: LabPlace, instanceId: string) => join(lab.state, "instances", instanceId),
  image: (lab: LabPlace, imageId: string) => join(lab.state, "images", imageId),
  volume: (lab: LabPlace, volumeId: string) => join(lab.state, "volumes", `${volumeId}.img`),
  snapshot: (lab: LabPlace, snapshotId: string) => join(lab.state, "snapshots", `${snapshotId}.img`),
  run: (lab: LabPlace) => join(lab.state, "run"),
} as const;

const marker = (lab: LabPlace) => join(lab.state, ".eclair-ami-lab");

/** Makes a folder a lab's own: only such a one is ever deleted. */
export function markFolder(lab: LabPlace): void {
  mkdirSync(lab.state, { recursive: true });
  writeFileSync(marker(lab), `${lab.id}\n`);
}

export function isLabFolder(lab: LabPlace): boolean {
  return existsSync(marker(lab));
}
