import type { SecretReference } from "../contract/configuration/node.ts";
import { currentStage, referenceOf } from "../contract/configuration/secret-reference.ts";
import { messageOf } from "../contract/errors.ts";
import type { RequestItem } from "../contract/record/request-item.ts";
import { isInProgress, type Rotation } from "../contract/requests/rotation.ts";
import { logEvent } from "../os/log.ts";

/** A version of a secret that is read in place of the current version. */
export type SecretVersion = {
  /**
   * The ids by which a configuration can name the secret: its name, its ARN, and its ARN without the six random characters.
   * https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
   */
  readonly secretIds: readonly string[];
  readonly versionId: string;
};

/** The version that a rotation has brought. */
export type PinnedVersion = SecretVersion & {
  /** Whether it has become the current version, after an instance has tested it. */
  readonly isTested: boolean;
};

/** Whether a reference is read as the pinned version. */
export function isPinned(pinned: SecretVersion | undefined, reference: SecretReference): boolean {
  const { id, versionStage } = referenceOf(reference);
  return versionStage === currentStage && pinned?.secretIds.includes(id) === true;
}

/**
 * The version that a rotation tests or has made the current one. Only a host that runs already tests it: when its boot fails, the host
 * continues with its previous files. The first boot of an instance uses the current version, which always works, and so does
 * every boot while the table cannot be read.
 */
export async function pinnedVersion(
  rotations: Pick<RequestItem<Rotation>, "read">,
  hasBooted: boolean,
): Promise<PinnedVersion | undefined> {
  if (!hasBooted) return undefined;
  try {
    const rotation = await rotations.read();
    if (rotation === undefined || !isInProgress(rotation)) return undefined;
    const { secretArn, secretName, versionId, step } = rotation;
    const secretIds = [secretName, secretArn, secretArn.replace(/-[A-Za-z0-9]{6}$/, "")];
    return { secretIds, versionId, isTested: step === "promoted" };
  } catch (error) {
    logEvent("rotation.unreadable", { message: messageOf(error) }, "warn");
    return undefined;
  }
}
