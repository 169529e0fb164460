import { Argument, type Command } from "commander";
import { referenceOf } from "../../bootstrap/secrets/fetch.ts";
import { Failure } from "../core/failure.ts";
import { readClusterSetup, readConfiguration } from "../nodes/configuration.ts";
import { instancePolicy } from "../policies/instance.ts";
import { operatorPolicy } from "../policies/operator.ts";
import { releaseEngineerPolicy } from "../policies/release-engineer.ts";
import { setupPolicy } from "../policies/setup.ts";
import type { Cluster, Policy } from "../policies/statements.ts";

const roles = ["instance", "setup", "operator", "release-engineer"] as const;
type Role = (typeof roles)[number];
type Flags = { readonly config?: string; readonly passes?: string[] };

/** The least-privilege IAM policies of this project, as JSON to be used as they are. */
export function addPolicy(program: Command): void {
  program
    .command("policy")
    .description("the least that a role must be allowed to do, as an IAM policy")
    .addArgument(new Argument("<role>", "whose").choices(roles))
    .option(
      "--config <file>",
      "the node's configuration; for `setup` the ClusterSetup; none for release-engineer",
    )
    .option("--passes <arn...>", "for `operator`: the roles of node and set-up that it may give to instances")
    .action((role: Role, flags: Flags) =>
      console.log(JSON.stringify(policies[role](flags, role), undefined, 2)),
    );
}

const policies: Readonly<Record<Role, (flags: Flags, role: Role) => Policy>> = {
  "release-engineer": releaseEngineerPolicy,
  instance: ({ config }, role) => instancePolicy(nodeCluster(required(config, role, "--config"))),
  operator: ({ config, passes }, role) =>
    operatorPolicy(nodeCluster(required(config, role, "--config")), required(passes, role, "--passes")),
  setup: ({ config }, role) => {
    const { cluster, record, secrets, database } = readClusterSetup(required(config, role, "--config"));
    const named = Object.values(secrets).filter((id) => id !== undefined);
    return setupPolicy(
      { name: cluster, table: record.table, secrets: named, targetGroups: [] },
      { owner: referenceOf(database.ownerSecret).id, runtime: database.secret },
    );
  },
};

function nodeCluster(file: string): Cluster {
  const { configuration } = readConfiguration(file);
  const { cluster, record, secrets, database, bitcoind, targetGroups } = configuration;
  const named = [...Object.values(secrets), database.secret, bitcoind.remote?.secret];
  return {
    name: cluster,
    table: record.table,
    secrets: named.flatMap((secret) => (secret === undefined ? [] : [referenceOf(secret).id])),
    targetGroups,
  };
}

function required<T>(value: T | undefined, role: Role, option: string): T {
  if (value !== undefined) return value;
  throw new Failure({
    code: "policy.option",
    doing: `writing the policy of ${role}`,
    cause: `${option} is missing`,
    remedy: "see `eclair-ami policy --help`",
    exit: 2,
  });
}
