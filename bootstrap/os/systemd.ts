import { run } from "./run.ts";

/** The state of a unit. */
export type Unit = {
  readonly state: "stopped" | "running" | "stopping";
  /** The main process; 0 when there is none. */
  readonly pid: number;
  /** The id of this start of the unit. The journal selects its lines by this id. */
  readonly invocationId: string;
};

const callMilliseconds = 3_000;
export const bootUnit = "eclair-bootstrap.service";
const supervisorUnit = "eclair-supervisor.service";

/** @returns the units in the order of the names */
export async function readUnits(names: readonly string[]): Promise<Unit[]> {
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
        pid: Number(values.get("MainPID") ?? 0),
        invocationId: values.get("InvocationID") ?? "",
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

/** Runs a unit of the type oneshot, and waits until its program has ended. */
export async function runUnit(name: string, milliseconds: number): Promise<void> {
  await run("systemctl", ["restart", name], { milliseconds });
}

export async function stopUnit(name: string): Promise<void> {
  await run("systemctl", ["stop", "--no-block", name]);
}

export async function killUnit(name: string): Promise<void> {
  // The command fails for a unit that has just ended.
  await run("systemctl", ["kill", "--signal=SIGKILL", name], { allowFailure: true });
}

/** Runs the boot again: it reads, verifies and renders everything. */
export async function rerunBoot(): Promise<void> {
  await run("systemctl", ["restart", "--no-block", bootUnit]);
}

/** Ends this supervisor; systemd starts the next one. */
export async function restartSupervisor(): Promise<void> {
  await run("systemctl", ["restart", "--no-block", supervisorUnit]);
}

/** Waits until the journal contains every line that was logged before. */
export async function syncJournal(): Promise<void> {
  await run("journalctl", ["--sync"], { milliseconds: callMilliseconds });
}

/** The log lines of a unit since its start. */
export async function readJournal(invocationId: string): Promise<string> {
  return await run(
    "journalctl",
    ["--no-pager", "--quiet", "--output=cat", `_SYSTEMD_INVOCATION_ID=${invocationId}`],
    { milliseconds: callMilliseconds },
  );
}

/** Whether a process exists. A process of another user exists even though this process may not signal it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
