import { run } from "../os/run.ts";

/** A unit as systemd sees it. */
export type Unit = {
  readonly state: "stopped" | "running" | "stopping";
  /** Its main process; 0 when there is none. */
  readonly process: number;
  /** Of this start alone; the journal knows its lines by it. */
  readonly invocation: string;
};

const callMilliseconds = 3_000;
export const bootUnit = "eclair-bootstrap.service";

/** @returns in the order of the names */
export async function lookAtUnits(names: readonly string[]): Promise<Unit[]> {
  const text = await run("systemctl", ["show", ...names, "--property=ActiveState,MainPID,InvocationID"], {
    milliseconds: callMilliseconds,
  });
  return text
    .trim()
    .split("\n\n")
    .map((block) => {
      const values = new Map(block.split("\n").map((line) => line.split("=", 2) as [string, string]));
      return {
        state: stateOf(values.get("ActiveState")),
        process: Number(values.get("MainPID") ?? 0),
        invocation: values.get("InvocationID") ?? "",
      };
    });
}

function stateOf(active: string | undefined): Unit["state"] {
  if (active === "active" || active === "activating" || active === "reloading") return "running";
  return active === "deactivating" ? "stopping" : "stopped";
}

export async function startUnit(name: string): Promise<void> {
  await run("systemctl", ["reset-failed", name], { allowFailure: true });
  await run("systemctl", ["start", "--no-block", name]);
}

export async function stopUnit(name: string): Promise<void> {
  await run("systemctl", ["stop", "--no-block", name]);
}

export async function killUnit(name: string): Promise<void> {
  // A unit that has just ended has nothing left to kill.
  await run("systemctl", ["kill", "--signal=SIGKILL", name], { allowFailure: true });
}

/** Has the boot read, verify and render everything anew. */
export async function bootAgain(): Promise<void> {
  await run("systemctl", ["restart", "--no-block", bootUnit]);
}

/** Has a supervisor after this one begin. */
export async function beginAgain(): Promise<void> {
  await run("systemctl", ["restart", "--no-block", "eclair-supervisor.service"]);
}

/** What a unit has logged since its start. */
export async function journalOf(invocation: string): Promise<string> {
  return await run(
    "journalctl",
    ["--no-pager", "--quiet", "--output=cat", `_SYSTEMD_INVOCATION_ID=${invocation}`],
    { milliseconds: callMilliseconds },
  );
}

/** Whether a process is there; what belongs to another user may not be signalled, and is there. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
