import { BootFailure, messageOf } from "../failure.ts";
import { documentIn } from "../userdata/documents.ts";
import { describeProblems, parseConfiguration, type Configuration } from "./parse.ts";

/** What user-data asks for; nothing, when none of it is meant for this program. */
export async function configurationIn(userData: Buffer): Promise<Configuration | undefined> {
  let text: string | undefined;
  try {
    text = await documentIn(userData);
  } catch (error) {
    throw refused(messageOf(error), error);
  }
  if (text === undefined) return undefined;
  const { configuration, problems } = parseConfiguration(text);
  if (problems !== undefined) throw refused(describeProblems(problems));
  return configuration;
}

function refused(cause: string, error?: unknown): BootFailure {
  return new BootFailure(
    {
      code: "configuration.invalid",
      cause,
      remedy: "correct the user-data (`eclair-ami config check FILE` says the same) and launch again",
    },
    { cause: error },
  );
}
