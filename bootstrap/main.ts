import { Command } from "commander";
import { boot } from "./boot.ts";
import { deregister } from "./deregister.ts";
import { BootFailure, exits, messageOf } from "./failure.ts";
import { imageTest } from "./imagetest/run.ts";
import { status } from "./supervise/status.ts";
import { supervise } from "./supervise/supervise.ts";
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
  .command("supervise")
  .description("what systemd keeps running: Eclair when it may run here, and the health endpoint")
  .action(supervise);

program.command("status").description("how far the boot came, and how the node stands").action(status);

program
  .command("deregister")
  .description("leave the target groups, when the instance is shutting down")
  .action(deregister);

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

program.parseAsync().then(
  // A connection that is kept alive must not keep the process.
  () => process.exit(),
  (error: unknown) => {
    console.error(messageOf(error));
    if (error instanceof BootFailure) {
      console.error(`To do: ${error.remedy}`);
      process.exit(error.heals ? exits.again : exits.refused);
    }
    process.exit(1);
  },
);
