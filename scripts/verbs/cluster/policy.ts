import { Argument, Option, type Command } from "commander";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { referenceOf } from "../../../bootstrap/contract/configuration/secret-reference.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { readClusterSetup, readConfiguration } from "../../cluster/configuration/read.ts";
import { instancePolicy } from "../../../infra/policies/instance.ts";
import { operatorPolicy } from "../../../infra/policies/operator.ts";
import { channelReaderPolicy, consumerPolicy } from "../../../infra/policies/consumer.ts";
import { imageKeyPolicy } from "../../../infra/policies/image-key.ts";
import { publisherPolicy, type ReleaseNames } from "../../../infra/policies/publisher.ts";
import { releaseEngineerPolicy } from "../../../infra/policies/release-engineer.ts";
import { readRelease } from "../../release/document/read.ts";
import { setupPolicy } from "../../../infra/policies/cluster-setup.ts";
import {
  inPartition,
  partitions,
  type Cluster,
  type Partition,
  type Policy,
} from "../../../infra/policies/statements.ts";

const roles = [
  "instance",
  "setup",
  "operator",
  "release-engineer",
  "publisher",
  "channel-reader",
  "consumer",
  "image-key",
] as const;
type Role = (typeof roles)[number];
type Flags = {
  readonly config?: string;
  readonly passRole?: string[];
  readonly kmsKey?: string[];
  readonly channelReaderRole?: string;
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
      "the node's configuration; for `setup`, the ClusterSetup; for the roles of releases, the release document; not for `release-engineer`",
    )
    .option(
      "--pass-role <arn...>",
      "for `operator`: the roles of the node and of the cluster setup; for `publisher`: those of image tests",
    )
    .option("--channel-reader-role <arn>", "for `consumer`: the role that reads channels")
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
  operator: async ({ config, passRole }, role) => {
    const file = required(config, role, "--config");
    const { configuration } = await readConfiguration(file);
    return operatorPolicy(
      await nodeCluster(file),
      required(passRole, role, "--pass-role"),
      rotatedSecrets(configuration),
    );
  },
  publisher: async (flags, role) => publisherPolicy(await releaseNames(flags, role)),
  "channel-reader": async (flags, role) => channelReaderPolicy(await releaseNames(flags, role)),
  consumer: async (flags, role) =>
    consumerPolicy(
      await releaseNames(flags, role),
      required(flags.channelReaderRole, role, "--channel-reader-role"),
    ),
  "image-key": async ({ config }, role) => {
    const { accountId, principals } = await readRelease(required(config, role, "--config"));
    return imageKeyPolicy({
      accountId,
      consumers: principals.accounts,
      // arn:aws:organizations::123456789012:organization/o-abc and arn:aws:organizations::123456789012:ou/o-abc/ou-def
      organizations: principals.organizations.map((arn) => arn.split("/")[1] ?? ""),
      organizationalUnits: principals.organizationalUnits.map((arn) => {
        const [, organization, unit] = arn.split("/");
        return `${organization}/*/${unit}/*`;
      }),
    });
  },
  setup: async ({ config, kmsKey }, role) => {
    const { cluster, record, secrets, database } = await readClusterSetup(required(config, role, "--config"));
    const { apiPassword, bitcoind = [], ...own } = secrets;
    const named = Object.values(own).filter((id) => id !== undefined);
    return setupPolicy(
      { name: cluster, table: record.table, secrets: named, targetGroupArns: [], ...keysOf(kmsKey) },
      {
        owner: referenceOf(database.ownerSecret).id,
        runtime: database.secret,
        logins: [...(apiPassword === undefined ? [] : [apiPassword]), ...bitcoind],
      },
    );
  },
};

/** The names or the ARNs of the secrets with logins, each once. */
function rotatedSecrets({ database, secrets, bitcoind }: NodeConfiguration): string[] {
  const references = [database.secret, secrets.apiPassword, ...bitcoind.remotes.map(({ secret }) => secret)];
  return [...new Set(references.flatMap((secret) => (secret === undefined ? [] : [referenceOf(secret).id])))];
}

/** The names in a release document. The partition of its ARNs is translated afterwards. */
async function releaseNames(flags: Flags, role: Role): Promise<ReleaseNames> {
  const release = await readRelease(required(flags.config, role, "--config"));
  return {
    accountId: release.accountId,
    regions: Object.keys(release.regions),
    kmsKeyArns: Object.values(release.regions).map(({ kmsKeyArn }) => kmsKeyArn),
    parameterPrefix: release.parameterPrefix,
    bucket: release.manifests.bucket,
    objectPrefix: release.manifests.prefix,
    testRoleArns: flags.passRole ?? [],
  };
}

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
