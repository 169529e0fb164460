import { clusterOfRole } from "../role-names.ts";
import { accessRequestsOf, isAllowed } from "../front/authorize.ts";
import { apiFault } from "../front/faults.ts";
import type { ApiRequest, Refusal } from "../front/server.ts";
import type { LabPaths } from "../paths.ts";
import type { Roles } from "./roles.ts";

/** Refuses a request that an injected fault affects, or that the policies of the signer's role do not allow. */
export async function refusalOf(
  lab: LabPaths,
  roles: Roles,
  request: ApiRequest,
): Promise<Refusal | undefined> {
  const { service, action, call, body, token, accessKeyId } = request;
  const cluster = await clusterOf(roles, request);
  const fault = cluster === undefined ? undefined : apiFault(lab, cluster, action);
  if (fault !== undefined) return { ...fault, message: "The call failed because of an injected fault" };
  // A caller without a role is the administrator of the account. Every caller may read its own identity.
  if (token === undefined || action === "GetCallerIdentity") return undefined;
  const { role, policies } = await roles.policiesOf({ accessKeyId, token });
  const denied = accessRequestsOf(service, action, call, body).find((one) => !isAllowed(policies, one));
  if (denied === undefined) return undefined;
  return {
    code: service === "ec2" ? "UnauthorizedOperation" : "AccessDeniedException",
    status: service === "ec2" ? 403 : 400,
    message: `role ${role} is not authorized to perform: ${denied.action} on resource: ${denied.resource ?? "*"} because no identity-based policy allows the ${denied.action} action`,
  };
}

/** The cluster of the role that signed a request; for the administrator, the cluster of the requested item. */
async function clusterOf(
  roles: Roles,
  { service, action, call, body, token, accessKeyId }: ApiRequest,
): Promise<string | undefined> {
  if (token !== undefined) return clusterOfRole(await roles.nameOf({ accessKeyId, token }));
  if (service !== "dynamodb") return undefined;
  const [key] = accessRequestsOf(service, action, call, body).flatMap(({ leadingKeys = [] }) => leadingKeys);
  return key?.replace(/^requests#/, "");
}
