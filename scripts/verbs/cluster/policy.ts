import { Argument, Option, type Command } from "commander";
import { referenceOf } from "../../../bootstrap/contract/configuration/secret-reference.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { readClusterSetup, readConfiguration } from "../../cluster/configuration/read.ts";
import { instancePolicy } from "../../cluster/policies/instance.ts";
import { operatorPolicy } from "../../cluster/policies/operator.ts";
import { releaseEngineerPolicy } from "../../cluster/policies/release-engineer.ts";
import { setupPolicy } from "../../cluster/policies/cluster-setup.ts";
import {
  inPartition,
  partitions,
  type Cluster,
  type Partition,
  type Policy,
} from "../../cluster/policies/statements.ts";

const roles = ["instance", "setup", "operator", "release-engineer"] as const;
type Role = (typeof roles)[number];
type Flags = {
  readonly config?: string;
  readonly passRole?: string[];
  readonly kmsKey?: string[];
  readonly partition: Partition;
};

/** The least-privilege IAM policies of this project, as JSON. */
export function addPolicy(program: Command): void {
  program
    .command("policy")
    .description("print the permissions that a role needs, as an IAM policy")
    .addArgument(new Argument("<role>", "the role").choices(roles))
    .option(
      "--config <file>",
      "the node's configuration; for `setup`, the ClusterSetup; not for `release-engineer`",
    )
    .option("--pass-role <arn...>", "for `operator`: the roles of the node and of the cluster setup")
    .option("--kms-key <arn...>", "for `instance` and `setup`: the customer managed keys of the secrets")
    .addOption(
      new Option("--partition <name>", "the partition of the account").choices(partitions).default("aws"),
    )
    .action(async (role: Role, flags: Flags) =>
      console.log(
        JSON.stringify(inPartition(await policies[role](flags, role), flags.partition), undefined, 2),
      ),
    );
}

const policies: Readonly<Record<Role, (flags: Flags, role: Role) => Policy | Promise<Policy>>> = {
  "release-engineer": releaseEngineerPolicy,
  instance: async ({ config, kmsKey }, role) =>
    instancePolicy({ ...(await nodeCluster(required(config, role, "--config"))), ...keysOf(kmsKey) }),
  operator: async ({ config, passRole }, role) =>
    operatorPolicy(
      await nodeCluster(required(config, role, "--config")),
      required(passRole, role, "--pass-role"),
    ),
  setup: async ({ config, kmsKey }, role) => {
    const { cluster, record, secrets, database } = await readClusterSetup(required(config, role, "--config"));
    const named = Object.values(secrets).filter((id) => id !== undefined);
    return setupPolicy(
      { name: cluster, table: record.table, secrets: named, targetGroupArns: [], ...keysOf(kmsKey) },
      { owner: referenceOf(database.ownerSecret).id, runtime: database.secret },
    );
  },
};

async function nodeCluster(file: string): Promise<Cluster> {
  const { configuration } = await readConfiguration(file);
  const { cluster, record, secrets, database, bitcoind, targetGroupArns, chainVolume } = configuration;
  const named = [...Object.values(secrets), database.secret, ...bitcoind.remotes.map(({ secret }) => secret)];
  return {
    name: cluster,
    table: record.table,
    secrets: named.flatMap((secret) => (secret === undefined ? [] : [referenceOf(secret).id])),
    targetGroupArns,
    volumeKey: chainVolume?.kmsKeyId,
  };
}

const keysOf = (keys: readonly string[] | undefined) => (keys === undefined ? {} : { secretKeys: keys });

function required<T>(value: T | undefined, role: Role, option: string): T {
  if (value !== undefined) return value;
  throw new EclairAmiError({
    code: "policy.option-missing",
    operation: `printing the policy of ${role}`,
    message: `${option} is missing`,
    remedy: "read `eclair-ami policy --help`",
    exitCode: 2,
  });
}
