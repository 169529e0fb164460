import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { existsSync, readFileSync } from "node:fs";
import { GroupMembership } from "../aws/auto-scaling.ts";
import { clientSettings, type AwsSettings } from "../aws/clients.ts";
import { clusterTable } from "../aws/cluster-table.ts";
import { registerTargets } from "../aws/target-groups.ts";
import { attachChainVolume, markBroken } from "../aws/volume.ts";
import { readIndexRepair } from "../bitcoind/index-commands.ts";
import type { NodeConfiguration } from "../contract/configuration/node.ts";
import { referenceOf } from "../contract/configuration/secret-reference.ts";
import { asEclairAmiError } from "../contract/errors.ts";
import { hookNames } from "../contract/lifecycle-hooks.ts";
import type { InstanceIdentity } from "../contract/reports/instance-identity.ts";
import { inspectDatabase } from "../database/verify.ts";
import { eclairVersion } from "../eclair/image.ts";
import { guard, guardAgainstRecord } from "../identity/guards.ts";
import { requireNodeId } from "../identity/node-id.ts";
import { nodeIdentityOf } from "../identity/node.ts";
import { readRecord } from "../identity/read-record.ts";
import { readTargetLifecycleState } from "../imds/read.ts";
import { mountChainVolume } from "../os/chain-volume.ts";
import { writeDurably } from "../os/files.ts";
import { logError } from "../os/log.ts";
import { paths } from "../os/paths.ts";
import { inRam, requireRam } from "../os/ram.ts";
import { ownership, requireAccount } from "../os/users.ts";
import { expectedOf, type BootedNode } from "../render/booted-node.ts";
import { digestsOf, sha256, type RenderedDigests } from "../render/digests.ts";
import { imageTemplates } from "../render/image-templates.ts";
import { nodeFiles } from "../render/node-files.ts";
import { secretReader } from "../secrets/fetch.ts";
import { pinnedVersion } from "../secrets/pinned.ts";
import { newPasswords, resolveSecrets, type LocalPasswords, type NodeSecrets } from "../secrets/resolve.ts";
import { SupervisorSecrets } from "../secrets/supervisor.ts";
import { databaseCertificates, startUnits } from "./host.ts";
import { requireNextBitcoindLogin } from "./next-bitcoind-login.ts";
import type { Phases } from "./phases.ts";

const heartbeatEveryMilliseconds = 60_000;

/** Makes this instance the node of a configuration. No file is written before `render`, no unit starts before `hand-over`. */
export async function bootNode(
  phases: Phases,
  configuration: NodeConfiguration,
  identity: InstanceIdentity,
  aws: AwsSettings,
): Promise<void> {
  await withHeartbeats(new GroupMembership(aws, identity.instanceId), () =>
    bootPhases(phases, configuration, identity, aws),
  );
}

async function bootPhases(
  phases: Phases,
  configuration: NodeConfiguration,
  identity: InstanceIdentity,
  aws: AwsSettings,
): Promise<void> {
  const databaseCa = databaseCertificates(configuration.database);
  const table = clusterTable({ configuration, aws });
  // The supervisor of an earlier boot reports a later boot that failed.
  const hasBooted = existsSync(paths.node);
  if (!hasBooted) phases.reportFailuresTo({ table, identity });

  const local = localPasswords();
  // The record is read before the database: the progress in the record must not be newer than the database's.
  const client = new SecretsManagerClient(clientSettings(aws));
  const [{ pinned, secrets }, record] = await phases.run("resolve", () =>
    Promise.all([
      pinnedVersion(table.rotations, hasBooted).then(async (version) => ({
        pinned: version,
        secrets: await resolveSecrets(configuration, secretReader(client, version), local),
      })),
      readRecord(table, configuration.record.allowStartWithoutRecord),
    ]),
  );

  const facts = {
    configuration,
    node: nodeIdentityOf(configuration.chain, secrets),
    eclair: eclairVersion(),
  };
  await phases.run("verify", async () => {
    const { chain, nodeId, database } = configuration;
    await requireNextBitcoindLogin(configuration, secrets.bitcoind.remotes, pinned);
    requireNodeId(secrets.nodeSeed, chain, nodeId, referenceOf(configuration.secrets.nodeSeed).id);
    const expected = expectedOf(facts);
    guardAgainstRecord(expected, record);
    const access = { database, login: secrets.database, ca: databaseCa };
    const { id } = referenceOf(database.secret);
    guard(expected, record, await inspectDatabase(access, id, identity.privateIp));
  });

  await phases.run("render", () =>
    writeFiles(
      { formatVersion: 1, ...facts, identity, secretVersions: secrets.versions, aws },
      secrets,
      local,
      databaseCa,
    ),
  );

  if (configuration.bitcoind.local !== undefined)
    await phases.run("chain-volume", () => {
      const owner = { ...requireAccount("bitcoin"), mode: 0o700 };
      return mountChainVolume(configuration, owner, {
        attach: (volume) => attachChainVolume(configuration, volume, identity, aws),
        markBroken: (volumeId, reason) => markBroken(volumeId, reason, aws),
        hasBrokenIndex: () => readIndexRepair()?.state === "broken",
      });
    });

  await phases.run("register", () =>
    registerTargets(configuration.targetGroupArns, identity.instanceId, aws),
  );

  await phases.run("hand-over", () =>
    startUnits(
      ...(startsBitcoind(configuration) ? ["bitcoind.service"] : []),
      "eclair-supervisor.service",
      "eclair-target.service",
    ),
  );
}

/**
 * Whether the boot starts bitcoind. A boot that runs again leaves a bitcoind that is stopped for a snapshot of the chain volume to
 * the supervisor, which starts it when the snapshot exists.
 * @param marker exists while bitcoind is stopped for a snapshot
 */
export const startsBitcoind = (
  { bitcoind }: Pick<NodeConfiguration, "bitcoind">,
  marker: string = paths.chainSnapshot,
): boolean => bitcoind.local !== undefined && !existsSync(marker);

/** Writes every file. The digests are last: with them, a running supervisor knows that the files are complete. */
function writeFiles(
  booted: BootedNode,
  secrets: NodeSecrets,
  local: LocalPasswords,
  databaseCa: string,
): void {
  requireRam(paths.eclairData);
  requireRam(paths.supervisorSecrets);
  const node = JSON.stringify(booted);
  const files = nodeFiles(booted.configuration, secrets, local, databaseCa, imageTemplates());
  for (const file of files) inRam(file.path, () => writeDurably(file.path, file.content, ownership(file)));
  writeDurably(paths.node, node, { uid: 0, gid: 0, mode: 0o644 });
  const digests: RenderedDigests = { node: sha256(node), files: digestsOf(files) };
  inRam(paths.rendered, () =>
    writeDurably(paths.rendered, JSON.stringify(digests), { uid: 0, gid: 0, mode: 0o400 }),
  );
}

/** The local passwords of the first boot, because running units have them. */
function localPasswords(): LocalPasswords {
  if (!existsSync(paths.supervisorSecrets)) return newPasswords();
  return SupervisorSecrets.parse(JSON.parse(readFileSync(paths.supervisorSecrets, "utf8"))).local;
}

/** A boot that waits, or that systemd repeats, can take longer than the heartbeat timeout of the launching hook. */
async function withHeartbeats(group: GroupMembership, task: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => void sendHeartbeat(group), heartbeatEveryMilliseconds);
  try {
    await task();
  } catch (error) {
    if (asEclairAmiError(error).retryable) await sendHeartbeat(group);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

async function sendHeartbeat(group: GroupMembership): Promise<void> {
  try {
    if ((await readTargetLifecycleState()) === undefined) return;
    await group.heartbeat(hookNames.launching);
  } catch (error) {
    logError("auto-scaling.failed", error);
  }
}
