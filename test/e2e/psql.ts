import { execa, type Options } from "execa";
import { readFacts } from "../../scripts/lab/facts.ts";
import { guestNetworkArguments } from "../../scripts/lab/guest/processes.ts";
import type { LabPaths } from "../../scripts/lab/paths.ts";
import { asPostgres } from "../../scripts/lab/rds/postgres-tree.ts";

/** Runs the lab's psql in the network of an instance. */
export function psqlOn<T extends Options>(
  lab: LabPaths,
  instanceId: string,
  args: readonly string[],
  password: string,
  options: T,
) {
  const enterLab = ["nsenter", `--target=${readFacts(lab)?.initProcess?.pid}`, "--mount", "--"];
  const flags = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"];
  const command = [
    ...guestNetworkArguments(lab, instanceId),
    ...enterLab,
    ...asPostgres(lab, "psql", ...flags),
  ];
  // The user of the tree must not search the folder of root for certificates.
  const env = { PGPASSWORD: password, HOME: "/" };
  return execa("nsenter", [...command, ...args], { ...options, cwd: "/", env });
}
