/** Keys that had another name before the first release, by the kind of document: old path, and new path. */
const keys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Node: {
    dataVolume: "chainVolume",
    "chainVolume.snapshot": "chainVolume.snapshotId",
    "chainVolume.kmsKey": "chainVolume.kmsKeyId",
    targetGroups: "targetGroupArns",
    "record.takeoverWithout": "record.allowStartWithoutRecord",
    "secrets.api": "secrets.apiPassword",
    "bitcoind.remote": "bitcoind.remotes",
  },
  ClusterSetup: {
    "task.makeSecrets": "task.createSecrets",
    "task.walletKept": "task.walletRetained",
    "task.by": "task.requestedBy",
  },
};

/** Values that had another name, by the path of their key. */
const values: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "java.compiler": { quick: "c1", full: "tiered" },
};

/** The new path of a renamed key. */
export const renamedKey = (kind: string, path: readonly PropertyKey[]): string | undefined =>
  keys[kind]?.[path.map(String).join(".")];

/** The new name of a renamed value. */
export const renamedValue = (kind: string, path: readonly PropertyKey[], value: string): string | undefined =>
  kind === "Node" ? values[path.map(String).join(".")]?.[value] : undefined;
