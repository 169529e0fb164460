import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { freshSeconds } from "../../../bootstrap/contract/reports/standby.ts";
import {
  includesVersion,
  type Rotation,
  type RotationKind,
} from "../../../bootstrap/contract/requests/rotation.ts";
import type { Target } from "../../target/target.ts";
import type { NodeStatus } from "../status.ts";
import { reportAge } from "../takeover.ts";
import { currentVersionOf } from "./current-version.ts";

export const activeOf = (statuses: readonly NodeStatus[]): NodeStatus | undefined =>
  statuses.find(({ report }) => report?.active === true);

/** The active instance, when the cluster has no other instance, including those that have sent no report yet. */
export function onlyInstance(statuses: readonly NodeStatus[]): NodeStatus | undefined {
  const active = activeOf(statuses);
  return statuses.every((status) => status === active) ? active : undefined;
}

/** Whether an instance uses the new version, by a report that is not old. */
export function usesVersion(status: NodeStatus, { kind, versionId }: Rotation): boolean {
  const age = reportAge(status, new Date()) ?? Infinity;
  return age <= freshSeconds && includesVersion(status.report?.secretVersions, kind, versionId);
}

/** The active instance, when it uses the new version. */
export function activeWithVersion(
  statuses: readonly NodeStatus[],
  rotation: Rotation,
): NodeStatus | undefined {
  const active = activeOf(statuses);
  return active !== undefined && usesVersion(active, rotation) ? active : undefined;
}

/**
 * Refuses a rotation while an instance uses another version than the current one: its login could be the next one.
 * @param secret the name or the ARN of the secret
 */
export async function requireCurrentVersion(
  target: Target,
  kind: RotationKind,
  secret: string,
  statuses: readonly NodeStatus[],
): Promise<void> {
  const { versionId: current } = await currentVersionOf(target, secret);
  // An instance that has sent no report yet boots with the current version.
  const outdated = statuses.filter(
    ({ report }) => report !== undefined && !includesVersion(report.secretVersions, kind, current),
  );
  if (outdated.length === 0) return;
  throw new EclairAmiError({
    code: "rotation.instance-outdated",
    operation: "checking the instances",
    message: `${outdated.map(({ instanceId }) => instanceId).join(", ")} ${outdated.length === 1 ? "does" : "do"} not report that the current version of secret ${secret} is in use`,
    remedy:
      "a standby changes to the current version within a minute; make an active instance a standby with `eclair-ami switchover`, or reboot it when there is no standby. Replace an instance whose image is older than rotations, terminate one that is lost, and check that the configuration of the instances names this secret. Then run the command again",
  });
}
