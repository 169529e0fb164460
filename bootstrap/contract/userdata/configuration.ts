import { parseConfiguration, type Configuration } from "../configuration/parse.ts";
import { describeProblems } from "../configuration/problems.ts";
import { EclairAmiError, messageOf } from "../errors.ts";
import { documentIn } from "./documents.ts";

/**
 * The configuration in user-data; undefined when the user-data is not meant for this project. An instance, `config check` and
 * `launch` read user-data with this function.
 * @param file the name of a file with the user-data, for messages
 * @throws EclairAmiError `configuration.invalid` with one line for each problem
 */
export async function configurationIn(userData: Buffer, file?: string): Promise<Configuration | undefined> {
  try {
    const document = await documentIn(userData);
    if (document === undefined) return undefined;
    const { configuration, problems } = parseConfiguration(document.text);
    if (problems === undefined) return configuration;
    const place = document.place === undefined ? "" : `in ${document.place}:\n`;
    throw new Error(place + describeProblems(problems, document.place === undefined ? file : undefined));
  } catch (error) {
    throw new EclairAmiError(
      {
        code: "configuration.invalid",
        operation: `reading ${file ?? "the user-data"}`,
        message: messageOf(error),
        remedy:
          file === undefined
            ? "correct the user-data and launch again. `eclair-ami config check FILE` reports the same problems"
            : "correct each line that the message names",
        ...(file !== undefined && { exitCode: 2 }),
      },
      { cause: error },
    );
  }
}
