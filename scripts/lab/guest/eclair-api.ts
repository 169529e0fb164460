import { join } from "node:path";
import { execa } from "execa";
import { nodeBinary } from "../../machine/paths.mjs";
import type { LabPaths } from "../paths.ts";
import { guestNetworkArguments } from "./processes.ts";
import { bashInGuest } from "./run.ts";

/** Prints the password of Eclair's API. The file that contains the password is in RAM. */
export const apiPasswordScript = `sed -n 's/^    password = "\\(.*\\)"$/\\1/p' /run/eclair/eclair.conf | head -n 1`;

/**
 * Calls Eclair's API on an instance.
 * @param form an URL-encoded form
 * @throws Error with Eclair's message
 */
export async function eclairApi(lab: LabPaths, id: string, method: string, form = ""): Promise<unknown> {
  const password = (await bashInGuest(lab, id, apiPasswordScript, { stdin: "ignore" })).stdout;
  // The API listens on the loopback interface of the guest's network namespace.
  const { stdout, stderr, exitCode } = await execa(
    "nsenter",
    [...guestNetworkArguments(lab, id), nodeBinary, join(import.meta.dirname, "eclair-call-main.ts")],
    // The password must not be on a command line.
    { input: JSON.stringify({ password, method, form }), reject: false },
  );
  if (exitCode !== 0) throw new Error(`${method}: ${stderr}`);
  return JSON.parse(stdout);
}
