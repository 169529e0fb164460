import { z } from "zod";
import type { SecretVersions } from "../reports/secret-versions.ts";

/** What `eclair-ami rotate` can change on a node that serves. */
export const rotationKinds = ["database", "api", "bitcoind"] as const;
export type RotationKind = (typeof rotationKinds)[number];

/**
 * The rotation of a login, and its progress:
 * - `testing`: the new version of the secret is `AWSPENDING`. Passive instances boot again with it, so that an Eclair is armed
 *   with it before anything depends on it
 * - `promoted`: the new version is `AWSCURRENT`. Both logins work
 * - `restarting`: the active instance of a cluster without a standby boots again with the new version, and then starts its Eclair
 *   again. A login at remote bitcoinds is tested in this way before its version becomes the current one
 * - `finished`: no instance uses the previous login, which is disabled
 * - `abandoned`: another party changed the secret meanwhile, or the operator gave the rotation up
 */
export const Rotation = z.strictObject({
  id: z.uuid(),
  kind: z.enum(rotationKinds),
  /** The ARN of the secret, and its name: a configuration can contain either. */
  secretArn: z.string(),
  secretName: z.string(),
  /** The version of the secret with the new login, and the version before. */
  versionId: z.string(),
  previousVersionId: z.string(),
  /** The caller, as AWS names it. */
  requestedBy: z.string(),
  /** After this time, the instances ignore the request, and another rotation may begin. */
  expiresAt: z.iso.datetime(),
  step: z.enum(["testing", "promoted", "restarting", "finished", "abandoned"]),
  /** With `restarting`: the active instance, and until when it may start its Eclair again. */
  instanceId: z.string().optional(),
  restartUntil: z.iso.datetime().optional(),
  /** With the kind `bitcoind`: what the key `rpcauth` in bitcoin.conf must contain. A salted hash of the password, not the password. */
  rpcauth: z.string().optional(),
});
export type Rotation = z.infer<typeof Rotation>;

/** Whether an instance uses a version of the secret that a rotation of this kind changes. */
export const includesVersion = (
  versions: SecretVersions | undefined,
  kind: RotationKind,
  versionId: string | undefined,
): boolean => versionId !== undefined && [versions?.[kind] ?? []].flat().includes(versionId);

/** An operator may continue an interrupted rotation after a holiday. */
export const rotationLifetimeSeconds = 30 * 24 * 3_600;

export const finalSteps: readonly Rotation["step"][] = ["finished", "abandoned"];

/** Whether a rotation is in progress. Otherwise the instances ignore it, and another rotation may begin. */
export const isInProgress = ({ step, expiresAt }: Rotation): boolean =>
  !finalSteps.includes(step) && Date.parse(expiresAt) > Date.now();
