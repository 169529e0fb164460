import { existsSync } from "node:fs";
import { credential, type AwsSettings } from "../aws/clients.ts";
import { clusterTable } from "../aws/cluster-table.ts";
import { mountSnapshot, prepareChainVerification } from "../chainverification/prepare.ts";
import type { ChainVerification } from "../contract/chain/verification.ts";
import type { Configuration } from "../contract/configuration/parse.ts";
import { requireKnownSettings } from "../contract/eclair/reference.ts";
import type { ImageTest } from "../contract/configuration/image-test.ts";
import { imageReference } from "../eclair/image.ts";
import { prepareImageTest } from "../imagetest/prepare.ts";
import { loadInstance } from "../imds/identity.ts";
import { readTag } from "../imds/read.ts";
import type { InstanceIdentity } from "../contract/reports/instance-identity.ts";
import { defaultTable } from "../contract/record/default-table.ts";
import { tags } from "../contract/tags.ts";
import { logEvent } from "../os/log.ts";
import { paths } from "../os/paths.ts";
import { setUpCluster } from "../setup/run.ts";
import { configurationIn } from "../contract/userdata/configuration.ts";
import { version } from "../version.ts";
import { databaseCertificates, startUnits } from "./host.ts";
import { bootNode } from "./node.ts";
import { Phases, type FailureReports } from "./phases.ts";

/** The network of an instance comes up within this time. */
const metadataWithinMilliseconds = 20_000;

/** What happens once at every boot: load, parse, and the work that the document requires. */
export async function boot(): Promise<void> {
  const phases = new Phases(new Date());
  const { identity, userData } = await phases.run("load", () => loadInstance(metadataWithinMilliseconds));
  logEvent("boot.identity", { ...identity, bootstrap: version });
  const aws = awsSettings(identity.region);

  const document = await phases.run(
    "parse",
    () => parse(userData),
    () => reportsOfTag(identity, aws),
  );
  switch (document?.kind) {
    case undefined:
      logEvent("boot.idle");
      return phases.end("idle");
    case "ImageTest":
      await bootImageTest(phases, document);
      break;
    case "ChainVerification":
      await bootChainVerification(phases, document);
      break;
    case "ClusterSetup":
      await phases.run("set-up", () => setUpCluster(document, aws, databaseCertificates(document.database)));
      break;
    case "Node":
      await bootNode(phases, document, identity, aws);
  }
  phases.end("done");
}

/**
 * Where a new instance of a cluster reports user-data that it cannot read: the instance's tag names the cluster.
 * @returns undefined for an instance without the tag, and when the supervisor of an earlier boot reports
 */
async function reportsOfTag(
  identity: InstanceIdentity,
  aws: AwsSettings,
): Promise<FailureReports | undefined> {
  const cluster = existsSync(paths.node) ? undefined : await readTag(tags.cluster);
  if (cluster === undefined) return undefined;
  return {
    table: clusterTable({ configuration: { record: { table: defaultTable }, cluster }, aws }),
    identity,
  };
}

/** The document in the user-data. A node's settings must be settings of this image's Eclair. */
async function parse(userData: Buffer): Promise<Configuration | undefined> {
  const document = await configurationIn(userData);
  if (document?.kind === "Node") requireKnownSettings(document.eclair.settings, imageReference());
  return document;
}

async function bootImageTest(phases: Phases, document: ImageTest): Promise<void> {
  await phases.run("render", () => prepareImageTest(document));
  await phases.run("hand-over", () => startUnits("bitcoind.service", "eclair-image-test.service"));
}

async function bootChainVerification(phases: Phases, document: ChainVerification): Promise<void> {
  await phases.run("render", async () => {
    // Inside a phase: `chain verify` reads the errors of phases.
    await startUnits("eclair-chain-verification-end.timer");
    prepareChainVerification(document);
  });
  await phases.run("chain-volume", () => mountSnapshot(document));
  await phases.run("hand-over", () => startUnits("eclair-chain-verification.service"));
}

/** AWS' own endpoints, unless the host of the instance passes another endpoint as a systemd credential. */
function awsSettings(region: string): AwsSettings {
  const endpoint = credential("eclair-ami.endpoint");
  return { region, ...(endpoint !== undefined && { endpoint }) };
}
