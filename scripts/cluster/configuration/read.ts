import { readFileSync } from "node:fs";
import type { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import type { Configuration } from "../../../bootstrap/contract/configuration/parse.ts";
import type { NodeConfiguration } from "../../../bootstrap/contract/configuration/node.ts";
import { EclairAmiError, messageOf } from "../../../bootstrap/contract/errors.ts";
import { configurationIn } from "../../../bootstrap/contract/userdata/configuration.ts";

/** A configuration, and the content of its file: the user-data of an instance. */
export type UserDataFile<T extends Configuration> = {
  readonly configuration: T;
  readonly userData: Buffer;
};

/** The configuration of a node and its file, with the checks that an instance makes. */
export async function readConfiguration(file: string): Promise<UserDataFile<NodeConfiguration>> {
  const { configuration, userData } = await readDocument(file);
  if (configuration.kind === "Node") return { configuration, userData };
  throw refused(file, `the document has the kind ${configuration.kind}`, "name a document of the kind Node");
}

/** A document of the kind ClusterSetup. */
export async function readClusterSetup(file: string): Promise<ClusterSetup> {
  const { configuration } = await readDocument(file);
  if (configuration.kind !== "ClusterSetup")
    throw refused(
      file,
      `the document has the kind ${configuration.kind}`,
      "name a document of the kind ClusterSetup; `eclair-ami config new --kind ClusterSetup` writes one",
    );
  if (configuration.task !== undefined)
    throw refused(file, "the document contains a task", "remove `task`: the command adds it");
  return configuration;
}

/** A document of any kind, alone or in the user-data of an instance, with the checks that an instance makes. */
export async function readDocument(file: string): Promise<UserDataFile<Configuration>> {
  const userData = readBytes(file);
  const configuration = await configurationIn(userData, file);
  if (configuration === undefined)
    throw refused(
      file,
      "the file contains no document of eclair-ami: apiVersion is missing",
      "begin the document with `apiVersion: eclair-ami/v1`; `eclair-ami config new` writes one",
    );
  return { configuration, userData };
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw refused(
      file,
      messageOf(error),
      "name a file that exists and can be read; `eclair-ami config new` writes one",
      error,
    );
  }
}

function refused(file: string, message: string, remedy: string, cause?: unknown): EclairAmiError {
  return new EclairAmiError(
    { code: "configuration.invalid", operation: `reading ${file}`, message, remedy, exitCode: 2 },
    { cause },
  );
}
