import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { existsSync, readFileSync } from "node:fs";
import { hookNames, Membership } from "./aws/auto-scaling.ts";
import { clientSettings, credential, type AwsSettings } from "./aws/clients.ts";
import { rdsCertificates } from "./aws/rds-certificates.ts";
import { registerTargets } from "./aws/target-groups.ts";
import { attachChainVolume } from "./aws/volume.ts";
import { configurationIn } from "./config/from-user-data.ts";
import type { ImageTest } from "./config/image-test.ts";
import type { NodeConfiguration } from "./config/node.ts";
import { lookAtDatabase } from "./database/verify.ts";
import { eclairVersion } from "./eclair/image.ts";
import { failureOf, messageOf } from "./failure.ts";
import { guard, guardAgainstRecord } from "./identity/guards.ts";
import { nodeIdentityOf } from "./identity/node.ts";
import { clusterTable } from "./record/open.ts";
import { readRecord } from "./record/read.ts";
import { setUpCluster } from "./setup/run.ts";
import { requireNodeId } from "./identity/node-id.ts";
import { prepareImageTest } from "./imagetest/prepare.ts";
import { loadInstance, type Identity } from "./imds/identity.ts";
import { targetLifecycleState } from "./imds/read.ts";
import { logLine } from "./log.ts";
import { expectedOf, type NodeRecord } from "./node-record.ts";
import { mountChainVolume } from "./os/chain-volume.ts";
import { writeDurably } from "./os/files.ts";
import { inRam, requireRam } from "./os/ram.ts";
import { run } from "./os/run.ts";
import { ownership, requireAccount } from "./os/users.ts";
import { Phases } from "./phases.ts";
import { places } from "./places.ts";
import { digestsOf, sha256, type RenderedDigests } from "./render/digests.ts";
import { imageTemplates } from "./render/image-templates.ts";
import { nodeFiles } from "./render/node-files.ts";
import { referenceOf, secretReader } from "./secrets/fetch.ts";
import { newPasswords, resolveSecrets, type LocalPasswords } from "./secrets/resolve.ts";
import { SupervisorSecrets } from "./secrets/supervisor.ts";
import { version } from "./version.ts";

/** A network that comes up at all does so well within this time. */
const metadataPatienceMilliseconds = 20_000;
const askEveryMilliseconds = 60_000;

/** What happens once at every boot. */
export async function boot(): Promise<void> {
  const phases = new Phases(new Date());
  const { identity, userData } = await phases.run("load", () => loadInstance(metadataPatienceMilliseconds));
  logLine("identity", { ...identity, bootstrap: version });

  const wanted = await phases.run("parse", () => configurationIn(userData));
  switch (wanted?.kind) {
    case undefined:
      logLine("idle", { reason: "user-data asks for nothing that this image does" });
      return phases.end("idle");
    case "ImageTest":
      await bootImageTest(phases, wanted);
      break;
    case "ClusterSetup":
      await phases.run("set-up", () => setUpCluster(wanted, awsSettings(identity), databaseCertificates()));
      break;
    case "Node":
      await withTime(identity, () => bootNode(phases, wanted, identity));
  }
  phases.end("done");
}

async function bootImageTest(phases: Phases, wanted: ImageTest): Promise<void> {
  await phases.run("render", () => prepareImageTest(wanted));
  await phases.run("hand-over", () => startUnits("bitcoind.service", "eclair-image-test.service"));
}

/** Until `render` nothing is written; until `hand-over` nothing runs. */
async function bootNode(phases: Phases, configuration: NodeConfiguration, identity: Identity): Promise<void> {
  const aws = awsSettings(identity);
  const databaseCa = databaseCertificates();
  const table = clusterTable({ configuration, aws });
  phases.tellTable(table, identity);

  const local = localPasswords();
  // The record before the database: what it says the database has come to must not be newer than the look at it.
  const [secrets, seen] = await phases.run("resolve", () =>
    Promise.all([
      resolveSecrets(configuration, secretReader(new SecretsManagerClient(clientSettings(aws))), local),
      readRecord(table, configuration.record.takeoverWithout),
    ]),
  );

  const facts = {
    configuration,
    node: nodeIdentityOf(configuration.chain, secrets),
    eclair: eclairVersion(),
  };
  await phases.run("verify", async () => {
    const { chain, nodeId, database } = configuration;
    requireNodeId(secrets.nodeSeed, chain, nodeId, referenceOf(configuration.secrets.nodeSeed).id);
    const expected = expectedOf(facts);
    guardAgainstRecord(expected, seen);
    const access = { database, login: secrets.database, ca: databaseCa };
    guard(expected, seen, await lookAtDatabase(access, referenceOf(database.secret).id));
  });

  await phases.run("render", () => {
    requireRam(places.eclairData);
    requireRam(places.supervisorSecrets);
    const record: NodeRecord = { ...facts, identity, aws };
    const node = JSON.stringify(record);
    const files = nodeFiles(configuration, secrets, local, databaseCa, imageTemplates());
    for (const file of files) inRam(file.path, () => writeDurably(file.path, file.content, ownership(file)));
    writeDurably(places.node, node, { uid: 0, gid: 0, mode: 0o644 });
    const digests: RenderedDigests = { node: sha256(node), files: digestsOf(files) };
    inRam(places.rendered, () =>
      writeDurably(places.rendered, JSON.stringify(digests), { uid: 0, gid: 0, mode: 0o400 }),
    );
  });

  if (configuration.bitcoind.local !== undefined)
    await phases.run("chain-volume", () => {
      const owner = { ...requireAccount("bitcoin"), mode: 0o700 };
      return mountChainVolume(configuration, owner, () => attachChainVolume(configuration, identity, aws));
    });

  await phases.run("register", () => registerTargets(configuration.targetGroups, identity.instanceId, aws));

  await phases.run("hand-over", () =>
    startUnits(
      ...(configuration.bitcoind.local === undefined ? [] : ["bitcoind.service"]),
      "eclair-supervisor.service",
      "eclair-target.service",
    ),
  );
}

/** Those that the instance's host handed in, or RDS' own. */
const databaseCertificates = () => credential("eclair-ami.database-ca") ?? rdsCertificates();

/** Where AWS is: its own endpoints, unless the instance's host hands in another. */
function awsSettings({ region }: Identity): AwsSettings {
  const endpoint = credential("eclair-ami.endpoint");
  return { region, ...(endpoint !== undefined && { endpoint }) };
}

/** Those of this boot: the units that run already must go on knowing them. */
function localPasswords(): LocalPasswords {
  if (!existsSync(places.supervisorSecrets)) return newPasswords();
  return SupervisorSecrets.parse(JSON.parse(readFileSync(places.supervisorSecrets, "utf8"))).local;
}

/** A boot that waits, or is tried again, may need longer than an Auto Scaling group waits for it. */
async function withTime(identity: Identity, task: () => Promise<void>): Promise<void> {
  const asking = setInterval(() => void askForTime(identity), askEveryMilliseconds);
  try {
    await task();
  } catch (error) {
    if (failureOf(error).heals) await askForTime(identity);
    throw error;
  } finally {
    clearInterval(asking);
  }
}

async function askForTime(identity: Identity): Promise<void> {
  try {
    if ((await targetLifecycleState()) === undefined) return;
    await new Membership(awsSettings(identity), identity.instanceId).heartbeat(hookNames.launching);
  } catch (error) {
    logLine("auto-scaling", { failed: messageOf(error) });
  }
}

/** The units wait for this one, so they are only told to start. */
async function startUnits(...units: string[]): Promise<void> {
  await run("systemctl", ["start", "--no-block", ...units]);
}
