import { messageOf } from "../contract/errors.ts";
import type { RequestItem } from "../contract/record/request-item.ts";
import type { Rotation } from "../contract/requests/rotation.ts";
import { logEvent } from "../os/log.ts";

/** A version of a secret that this boot reads in place of the current version. */
export type PinnedVersion = {
  /** The ids by which a configuration can name the secret. */
  readonly secretIds: readonly string[];
  readonly versionId: string;
};

/**
 * The version that a rotation tests. When the table cannot be read, there is none: the current version always works, also
 * during a rotation.
 */
export async function pinnedVersion(
  rotations: Pick<RequestItem<Rotation>, "read">,
): Promise<PinnedVersion | undefined> {
  try {
    const rotation = await rotations.read();
    if (rotation?.step !== "testing") return undefined;
    const { secretArn, secretName, versionId } = rotation;
    return { secretIds: [secretArn, secretName], versionId };
  } catch (error) {
    logEvent("rotation.unreadable", { message: messageOf(error) }, "warn");
    return undefined;
  }
}
