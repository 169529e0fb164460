import { Option, type Command } from "commander";

/** Adds the options of the verbs that bake an image: the sources of Eclair and of bitcoind. */
export function withArtifactSources(command: Command): Command {
  return command
    .addOption(
      new Option("--eclair <file>", "Eclair release zip to use instead of the pinned release").env(
        "ECLAIR_ZIP",
      ),
    )
    .option(
      "--skip-releases",
      "use Debian's bitcoind and, without --eclair, the stand-in Eclair; the image is not for release",
      false,
    );
}
