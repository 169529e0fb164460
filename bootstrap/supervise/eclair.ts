import { z } from "zod";
import { run } from "../os/run.ts";
import type { Eclair } from "./observation.ts";

const unitName = "eclair.service";
const apiUrl = "http://127.0.0.1:8080/getinfo";
const callMilliseconds = 3_000;

const Info = z.object({ instanceId: z.string(), nodeId: z.string(), blockHeight: z.int() });

/** Looks at Eclair's unit, and asks Eclair who it is. */
export async function lookAtEclair(apiPassword: string): Promise<Eclair> {
  const properties = await run("systemctl", ["show", unitName, "--property=ActiveState,MainPID"], {
    milliseconds: callMilliseconds,
  });
  const values = Object.fromEntries(
    properties
      .trim()
      .split("\n")
      .map((line) => line.split("=", 2)),
  );
  const state: string = values["ActiveState"] ?? "";
  const process = Number(values["MainPID"] ?? 0);
  const unit =
    state === "active" || state === "activating" || state === "reloading"
      ? "running"
      : state === "deactivating"
        ? "stopping"
        : "stopped";
  const info = unit === "running" ? await ask(apiPassword) : undefined;
  return { unit, process, ...(info !== undefined && { info }) };
}

/** Nothing until its API is there. */
async function ask(apiPassword: string): Promise<Eclair["info"]> {
  try {
    const response = await fetch(apiUrl, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`:${apiPassword}`).toString("base64")}` },
      signal: AbortSignal.timeout(callMilliseconds),
    });
    return response.ok ? Info.parse(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}

export async function startEclair(): Promise<void> {
  await run("systemctl", ["reset-failed", unitName], { allowFailure: true });
  await run("systemctl", ["start", "--no-block", unitName]);
}

/** At once: its own way of stopping writes to the database. */
export async function killEclair(): Promise<void> {
  await run("systemctl", ["kill", "--signal=SIGKILL", unitName]);
}
