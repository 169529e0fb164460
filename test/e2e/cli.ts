import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Failure } from "../../scripts/core/failure.ts";
import { bashInGuest } from "../../scripts/lab/guest/run.ts";
import { labPlace, type LabPlace } from "../../scripts/lab/place.ts";
import { root } from "../../scripts/setup/places.mjs";

// No test may reach AWS: an endpoint that a test doesn't name is a port where nobody listens.
const env = { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_EC2_METADATA_DISABLED: "true" };

/** Runs `./eclair-ami` as a user would; a failure is a result. */
export function cli(args: readonly string[], more: Record<string, string | undefined> = {}) {
  return execa(join(root, "eclair-ami"), args, {
    all: true,
    reject: false,
    stdin: "ignore",
    env: { ...env, ...more },
  });
}

export type ShownInstance = { id: string; state: string; image: string; address: string; name: string };

export async function instances(state: string): Promise<ShownInstance[]> {
  const { stdout } = await cli(["lab", "status", "--json", "--state", state]);
  return (JSON.parse(stdout) as { instances: ShownInstance[] }).instances;
}

export type GuestResult = { readonly stdout: string; readonly all: string; readonly exitCode: number };

/** One command inside a guest, as `eclair-ami lab shell` runs it; a guest that isn't there is a failed command. */
export async function inGuest(state: string, instanceId: string, script: string): Promise<GuestResult> {
  try {
    const options = { all: true, reject: false, stdin: "ignore" } as const;
    const { stdout, all, exitCode = 1 } = await bashInGuest(labPlace(state), instanceId, script, options);
    return { stdout, all, exitCode };
  } catch (error) {
    if (error instanceof Failure) return { stdout: "", all: error.message, exitCode: 1 };
    throw error;
  }
}

/** What a command inside a guest writes, byte for byte. */
export async function bytesFromGuest(lab: LabPlace, instanceId: string, script: string): Promise<Buffer> {
  const options = { reject: false, stdin: "ignore", encoding: "buffer" } as const;
  const { stdout } = await bashInGuest(lab, instanceId, script, options);
  return Buffer.from(stdout);
}

/** Several files of tests ask one moto, which has one thread. */
const pollMilliseconds = 200;

/** Waits for a condition; what was waited for is named when it does not come. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  seconds = 60,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(pollMilliseconds);
  }
}

/** Until a guest's boot is over; what keeps it is told when it does not come to an end. */
export async function booted(state: string, instanceId: string): Promise<void> {
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
