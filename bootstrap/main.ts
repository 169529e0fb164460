import { Argument, Command } from "commander";
import { serveBitcoindGate } from "./bitcoind/gate/serve.ts";
import { checkIndex, prepareIndex } from "./bitcoind/index-commands.ts";
import { boot } from "./boot/boot.ts";
import { deregister } from "./boot/deregister.ts";
import { verifyChainVolume } from "./chainverification/run.ts";
import { EclairAmiError, messageOf } from "./contract/errors.ts";
import { serveDoor } from "./door/serve.ts";
import { imageTest } from "./imagetest/run.ts";
import { trainingConfiguration } from "./imagetest/training.ts";
import { serveHealth } from "./supervisor/health/process.ts";
import { status } from "./supervisor/health/status.ts";
import { supervise } from "./supervisor/loop.ts";
import { validateCommand } from "./validate/command.ts";
import { version } from "./version.ts";

/** Exit statuses of the boot's unit: systemd starts the unit again after the first, and not after the second. */
const exitStatus = { retry: 75, refused: 78 } as const;

const program = new Command("eclair-bootstrap")
  .description("makes an instance of the image a Lightning node")
  .version(version, "--version");

program
  .command("version")
  .description("print the version")
  .action(() => console.log(version));

program.command("boot").description("boot the node; systemd runs it once at every boot").action(boot);

program
  .command("supervise")
  .description("run Eclair when this instance may run it, and the health endpoint; systemd keeps it running")
  .action(supervise);

program
  .command("health")
  .description("serve the reports on standard input at the health endpoint; the supervisor runs it")
  .action(serveHealth);

program
  .command("door")
  .description("pass the connections of peers to the active Eclair; the supervisor runs it")
  .action(serveDoor);

program
  .command("bitcoind-gate")
  .description("pass Eclair's calls to the best bitcoind; the supervisor runs it")
  .action(serveBitcoindGate);

program
  .command("bitcoind-index")
  .description(
    "prepare bitcoind's index before its start, or check it after its end; the unit of bitcoind runs it",
  )
  .addArgument(new Argument("<step>").choices(["prepare", "check"]))
  .action((step: string) => (step === "prepare" ? prepareIndex() : checkIndex()));

program.command("status").description("print the state of the boot and of the node").action(status);

program
  .command("deregister")
  .description("leave the target groups; systemd runs it when the instance shuts down")
  .action(deregister);

program
  .command("image-test")
  .description("test the image that this instance was started from; the result goes to the console")
  .action(async () => {
    if (!(await imageTest())) process.exitCode = 1;
  });

program
  .command("training-configuration")
  .description("print Eclair's configuration for the training run of the bake; the bake runs it")
  .action(() => console.log(trainingConfiguration()));

program
  .command("chain-verification")
  .description("verify the chain on the copy of a snapshot; the result goes to the console")
  .action(async () => {
    if (!(await verifyChainVolume())) process.exitCode = 1;
  });

program
  .command("validate")
  .description("search for anything that an image, or an instance of it, must not contain")
  .option("--as <kind>", "image (before it is taken) or instance (booted)", "instance")
  .option("--root <folder>", "the root of the file system tree", "/")
  .action(validateCommand);

program.parseAsync().then(
  // A connection that is kept alive must not keep the process.
  () => process.exit(),
  (error: unknown) => {
    console.error(messageOf(error));
    if (error instanceof EclairAmiError) {
      console.error(`To do: ${error.remedy}`);
      process.exit(error.retryable ? exitStatus.retry : exitStatus.refused);
    }
    process.exit(1);
  },
);
