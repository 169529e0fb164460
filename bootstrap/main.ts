import { Command } from "commander";
import { boot } from "./boot.ts";
import { imageTest } from "./imagetest/run.ts";
import { validateCommand } from "./validate/command.ts";
import { version } from "./version.ts";

const program = new Command("eclair-bootstrap")
  .description("what makes an instance of the image the right Lightning node")
  .version(version, "--version");

program
  .command("version")
  .description("print the version")
  .action(() => console.log(version));

program.command("boot").description("what systemd runs once at every boot").action(boot);

program
  .command("image-test")
  .description("test the image this instance was started from; the result goes to the console")
  .action(async () => {
    if (!(await imageTest())) process.exitCode = 1;
  });

program
  .command("validate")
  .description("look for anything that an image, or an instance of it, must not hold")
  .option("--stage <stage>", "image (before it is taken) or instance (booted)", "instance")
  .option("--root <folder>", "the root of the tree to look at", "/")
  .action(validateCommand);

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
