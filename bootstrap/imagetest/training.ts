import { NodeConfiguration } from "../contract/configuration/node.ts";
import { apiVersion } from "../contract/configuration/api-version.ts";
import { eclairConf } from "../render/configuration-files.ts";
import { imageTemplates } from "../render/image-templates.ts";

/** The names and the password of the servers in packer/provision/40-train.sh, which exist only during the bake. */
const login = { username: "training", password: "training" };
const training = {
  apiVersion,
  kind: "Node",
  cluster: "training",
  chain: "regtest",
  nodeId: `02${"00".repeat(32)}`,
  alias: "training",
  secrets: { nodeSeed: "training", channelSeed: "training" },
  database: { secret: "training", host: "localhost", port: 5433 },
  bitcoind: { local: {}, wallet: "training" },
};

/**
 * Eclair's configuration for the training run of the bake, from the template of this image. A node gets the same settings, so that the
 * bake fails when its Eclair refuses one of them.
 */
export const trainingConfiguration = (template: string = imageTemplates().eclair): string =>
  eclairConf(
    NodeConfiguration.parse(training),
    { database: login, bitcoind: { eclair: login }, apiPassword: login.password },
    template,
  );
