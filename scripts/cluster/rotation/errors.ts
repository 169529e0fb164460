import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Rotation } from "../../../bootstrap/contract/requests/rotation.ts";

type Refusal = Pick<EclairAmiError, "code" | "message" | "remedy">;

const refusal = (cluster: string, reason: Refusal): EclairAmiError =>
  new EclairAmiError({ operation: `rotating a login of ${cluster}`, ...reason });

export const noStandby = (cluster: string): EclairAmiError =>
  refusal(cluster, {
    code: "rotation.no-standby",
    message: "the cluster has no other instance, which would test the new login and take over",
    remedy:
      "wait until the Auto Scaling group has launched the standby. For a cluster of one instance, pass --restart: its Eclair starts again, and the node is away for some seconds",
  });

export const noActive = (cluster: string): EclairAmiError =>
  refusal(cluster, {
    code: "rotation.no-standby",
    message: "no instance of the cluster is active",
    remedy: "start the node first: `eclair-ami status` shows why no instance is active; nothing was changed",
  });

export const inProgress = (cluster: string): EclairAmiError =>
  refusal(cluster, {
    code: "rotation.in-progress",
    message: "another process rotates a login of this cluster",
    remedy:
      "wait until it has ended, and run this command again, which continues a rotation that is not finished",
  });

export const otherRotation = (cluster: string, { kind, secretName }: Rotation): EclairAmiError =>
  refusal(cluster, {
    code: "rotation.in-progress",
    message: `the rotation of the kind ${kind} in secret ${secretName} is not finished`,
    remedy: `run \`eclair-ami rotate ${kind}\` for this secret, which continues it, or gives it up with --abandon`,
  });

export function inUse(cluster: string, { kind, secretName }: Rotation): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.in-progress",
    operation: `giving up a rotation of ${cluster}`,
    message: `the active instance uses the new login in secret ${secretName} already`,
    remedy: `run \`eclair-ami rotate ${kind}\` without --abandon, which ends the rotation`,
  });
}
