import type { RoleCredentials } from "./tree.ts";

/** New credentials are available at least five minutes before the expiration of the old ones. */
const renewBeforeMilliseconds = 10 * 60_000;

/**
 * The credentials of instances, which stay the same until they expire soon.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 * @param assume creates the credentials of a role for an instance
 */
export function keptCredentials(
  assume: (roleName: string, instanceId: string) => Promise<RoleCredentials>,
  now: () => number = Date.now,
): (roleName: string, instanceId: string) => Promise<RoleCredentials> {
  const kept = new Map<string, RoleCredentials>();
  return async (roleName, instanceId) => {
    const key = `${instanceId} ${roleName}`;
    const previous = kept.get(key);
    if (previous !== undefined && Date.parse(previous.expiration) - now() > renewBeforeMilliseconds)
      return previous;
    const credentials = await assume(roleName, instanceId);
    kept.set(key, credentials);
    return credentials;
  };
}
