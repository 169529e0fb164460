import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { EclairAmiError } from "../../bootstrap/contract/errors.ts";
import { bashInGuest } from "../../scripts/lab/guest/run.ts";
import { labPaths, type LabPaths } from "../../scripts/lab/paths.ts";
import { root } from "../../scripts/machine/paths.mjs";

// No test may reach AWS: nothing listens on the default endpoint.
const env = { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_EC2_METADATA_DISABLED: "true" };

/**
 * Runs `./eclair-ami` as a user does. A command that fails does not throw.
 * @param options.detached in a process group of its own, which a test can kill
 */
export function cli(
  args: readonly string[],
  environment: Record<string, string | undefined> = {},
  { detached = false }: { readonly detached?: boolean } = {},
) {
  return execa(join(root, "eclair-ami"), args, {
    all: true,
    reject: false,
    stdin: "ignore",
    detached,
    env: { ...env, ...environment },
  });
}

/** The error that a command printed with `--json`. */
export const failureOf = ({ stdout }: { stdout: string }): { code: string; message: string } =>
  (JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { error: { code: string; message: string } }).error;

export type ListedInstance = {
  instanceId: string;
  state: string;
  imageId: string;
  privateIp: string;
  name: string;
};

export async function listInstances(state: string): Promise<ListedInstance[]> {
  const { stdout } = await cli(["lab", "status", "--json", "--state", state]);
  return (JSON.parse(stdout) as { instances: ListedInstance[] }).instances;
}

export type GuestResult = { readonly stdout: string; readonly all: string; readonly exitCode: number };

/** Runs a script inside a guest, as `eclair-ami lab shell` does. A guest that does not exist gives a failed command. */
export async function inGuest(state: string, instanceId: string, script: string): Promise<GuestResult> {
  try {
    const options = { all: true, reject: false, stdin: "ignore" } as const;
    const { stdout, all, exitCode = 1 } = await bashInGuest(labPaths(state), instanceId, script, options);
    return { stdout, all, exitCode };
  } catch (error) {
    if (error instanceof EclairAmiError) return { stdout: "", all: error.message, exitCode: 1 };
    throw error;
  }
}

/** Returns the standard output of a script inside a guest as bytes. */
export async function bytesFromGuest(lab: LabPaths, instanceId: string, script: string): Promise<Buffer> {
  const options = { reject: false, stdin: "ignore", encoding: "buffer" } as const;
  const { stdout } = await bashInGuest(lab, instanceId, script, options);
  return Buffer.from(stdout);
}

/** The test files run in parallel and share one moto, which has one thread: polls would be half of its calls. */
const pollMilliseconds = 800;

/** Polls until `probe` returns a value. The error of a timeout contains `description`. The limit suits a busy machine. */
export async function eventually<T>(
  description: string,
  probe: () => Promise<T | undefined>,
  seconds = 240,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const result = await probe();
    if (result !== undefined) return result;
    if (performance.now() > end) throw new Error(`timed out after ${seconds} s: waited for ${description}`);
    await sleep(pollMilliseconds);
  }
}

/** Waits until a guest has booted. The error of a timeout contains the pending jobs and the failed units. */
export async function waitForBoot(state: string, instanceId: string): Promise<void> {
  try {
    await eventually(`${instanceId} to boot`, async () => {
      const { stdout } = await inGuest(state, instanceId, "systemctl is-system-running");
      return stdout.trim() === "running" ? true : undefined;
    });
  } catch (error) {
    const { all } = await inGuest(
      state,
      instanceId,
      "systemctl is-system-running; systemctl --no-pager list-jobs; systemctl --no-pager --failed; journalctl --no-pager --priority=warning | tail -n 20; ip address show ens5",
    );
    throw new Error(`${String(error)}\n${all}`, { cause: error });
  }
}
