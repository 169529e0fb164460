import { EclairAmiError, messageOf } from "../contract/errors.ts";
import { describeProblems, parseConfiguration, type Configuration } from "../contract/configuration/parse.ts";
import { documentIn } from "./documents.ts";

/** The configuration in user-data; undefined when user-data contains no document of this project. */
export async function configurationIn(userData: Buffer): Promise<Configuration | undefined> {
  let text: string | undefined;
  try {
    text = await documentIn(userData);
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
  if (text === undefined) return undefined;
  const { configuration, problems } = parseConfiguration(text);
  if (problems !== undefined) throw invalid(describeProblems(problems));
  return configuration;
}

function invalid(message: string, cause?: unknown): EclairAmiError {
  return new EclairAmiError(
    {
      code: "configuration.invalid",
      operation: "reading the user-data",
      message,
      remedy:
        "correct the user-data and launch again. `eclair-ami config check FILE` reports the same problems",
    },
    { cause },
  );
}
