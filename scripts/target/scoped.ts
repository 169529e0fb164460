import type { Target } from "./target.ts";

/** The same target in another region, with another way to launch a test instance. */
export function inRegion(target: Target, region: string, instance: Target["instance"]): Target {
  return {
    ...target,
    region,
    instance,
    client: (service, scope) => target.client(service, { region, ...scope }),
  };
}

/** The same target, with the permissions of a role. */
export function asRole(target: Target, roleArn: string | undefined): Target {
  if (roleArn === undefined) return target;
  return { ...target, client: (service, scope) => target.client(service, { roleArn, ...scope }) };
}
