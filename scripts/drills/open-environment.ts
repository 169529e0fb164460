import { DescribeImagesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import { tags } from "../../bootstrap/contract/tags.ts";
import { readConfiguration } from "../cluster/configuration/read.ts";
import { initLabNode } from "../lab-cluster/node.ts";
import { readFacts } from "../lab/facts.ts";
import { labPaths } from "../lab/paths.ts";
import { labTarget } from "../lab/target.ts";
import { ensureSecret } from "./actions/secrets.ts";
import type { DrillEnvironment } from "./environment.ts";
import { invalidDrill } from "./select.ts";

const cluster = "drill";

/**
 * The cluster of the drills in a lab. Creates its node when it does not exist.
 * @param image the id of an image; by default the newest one
 */
export async function openEnvironment(stateFolder: string, image?: string): Promise<DrillEnvironment> {
  const lab = labPaths(stateFolder);
  const target = labTarget(lab);
  const facts = readFacts(lab);
  if (facts === undefined) throw invalidDrill("the lab does not run", "run `eclair-ami lab up`");
  const imageId = image ?? (await findNewestImage(target.client(EC2Client)));
  const { file } = await initLabNode(lab, facts, target, { name: cluster, imageId });
  const { configuration } = await readConfiguration(file);
  if (configuration.chain !== "regtest")
    throw invalidDrill(
      `${file} configures the chain ${configuration.chain}`,
      `set \`chain: regtest\` in ${file}`,
    );
  return await withApiPassword({ lab, facts, target, configuration, configurationFile: file, imageId });
}

/** The same cluster, whose instances have one password of Eclair's API, so that it can be rotated. */
async function withApiPassword(environment: DrillEnvironment): Promise<DrillEnvironment> {
  const { target, configuration, configurationFile } = environment;
  const apiPassword = `${cluster}/api`;
  await ensureSecret(target, apiPassword, randomBytes(32).toString("hex"));
  const file = configurationFile.replace(/\.yaml$/, "-api.yaml");
  writeFileSync(file, stringify({ ...configuration, secrets: { ...configuration.secrets, apiPassword } }));
  return { ...environment, ...(await readConfiguration(file)), configurationFile: file };
}

async function findNewestImage(ec2: EC2Client): Promise<string> {
  const Filters = [{ Name: "tag-key", Values: [tags.bakeId] }];
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ["self"], Filters }));
  const [newest] = Images.toSorted((a, b) => (b.CreationDate ?? "").localeCompare(a.CreationDate ?? ""));
  if (newest?.ImageId === undefined) throw invalidDrill("the lab has no image", "run `eclair-ami bake`");
  return newest.ImageId;
}
