import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Rotation } from "../../../bootstrap/contract/requests/rotation.ts";
import type { Target } from "../../target/target.ts";
import type { NodeStatus } from "../status.ts";

/** A passive instance boots again within a minute, arms an Eclair, and the load balancer checks it. */
export const waitMilliseconds = { lab: 180_000, aws: 600_000 } as const;
const pollMilliseconds = { lab: 500, aws: 5_000 } as const;

type Wait = {
  readonly target: Target;
  readonly statuses: () => Promise<NodeStatus[]>;
  readonly rotation: Rotation;
  readonly signal: AbortSignal;
};

/**
 * Waits until the instances of a cluster satisfy a condition.
 * @param find returns undefined until then
 */
export async function waitForInstances(
  { target, statuses, rotation, signal }: Wait,
  description: string,
  find: (statuses: readonly NodeStatus[]) => NodeStatus | undefined,
): Promise<NodeStatus> {
  const operation = `rotating the login in secret ${rotation.secretName}`;
  const end = performance.now() + waitMilliseconds[target.name];
  for (;;) {
    const current = await statuses();
    const found = find(current);
    if (found !== undefined) return found;
    if (signal.aborted) throw interrupted(operation, rotation);
    if (performance.now() > end)
      throw new EclairAmiError({
        code: "rotation.timeout",
        operation,
        message: `waited for ${description}: ${current.map(describe).join("; ")}`,
        remedy:
          "correct what `eclair-ami status` shows, and run the command again, which continues this rotation",
        mayHaveChanged: leftover(rotation),
      });
    await sleep(pollMilliseconds[target.name]);
  }
}

const describe = ({ instanceId, report, boot }: NodeStatus) =>
  `${instanceId} ${report === undefined ? "sends no report" : [report.role, ...report.reasons].join(", ")}${boot.failed ? `, ${boot.message}` : ""}`;

const leftover = ({ step, restartUntil = "" }: Rotation) =>
  step === "restarting"
    ? `the instance may still start its Eclair again, until ${restartUntil}`
    : "the new login exists, and the previous login works as well";

function interrupted(operation: string, rotation: Rotation): EclairAmiError {
  return new EclairAmiError({
    code: "interrupted",
    operation,
    message: "the command was interrupted",
    remedy: "run the command again, which continues this rotation",
    mayHaveChanged: leftover(rotation),
    exitCode: 130,
  });
}
