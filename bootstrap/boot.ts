import { parseUserData } from "./config/image-test.ts";
import { prepareImageTest } from "./imagetest/prepare.ts";
import { loadInstance } from "./imds/identity.ts";
import { logLine, step } from "./log.ts";
import { run } from "./os/run.ts";
import { version } from "./version.ts";

/** A network that comes up at all does so well within this time. */
const metadataPatienceMilliseconds = 120_000;

/** What happens once at every boot. */
export async function boot(): Promise<void> {
  const { identity, userData } = await step("load", () => loadInstance(metadataPatienceMilliseconds));
  logLine("identity", { ...identity, bootstrap: version });

  const wanted = await step("parse", async () => parseUserData(userData));
  if (wanted === undefined)
    return logLine("idle", { reason: "user-data asks for nothing that this image does" });

  await step("render", async () => prepareImageTest(wanted));
  await step("hand-over", handOver);
}

/** The units wait for this one, so they are only told to start. */
async function handOver(): Promise<void> {
  await run("systemctl", ["start", "--no-block", "bitcoind.service", "eclair-image-test.service"]);
}
