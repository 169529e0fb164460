import { clusterOfRole } from "../../../infra/cluster/role-names.ts";
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
  const { service, action, token, accessKeyId } = request;
  const cluster = await clusterOf(roles, request);
  const fault = cluster === undefined ? undefined : apiFault(lab, cluster, action);
  if (fault !== undefined) return { ...fault, message: "The call failed because of an injected fault" };
  // A caller without a role is the administrator of the account. Every caller may read its own identity.
  if (token === undefined || action === "GetCallerIdentity") return undefined;
  const { role, policies } = await roles.policiesOf({ accessKeyId, token });
  const denied = accessRequestsOf(request).find((one) => !isAllowed(policies, one));
  if (denied === undefined) return undefined;
  return {
    ...denialOf(service),
    message: `role ${role.name} is not authorized to perform: ${denied.action} on resource: ${denied.resource ?? "*"} because no identity-based policy allows the ${denied.action} action`,
  };
}

function denialOf(service: string): Pick<Refusal, "code" | "status"> {
  if (service === "ec2") return { code: "UnauthorizedOperation", status: 403 };
  return service === "s3"
    ? { code: "AccessDenied", status: 403 }
    : { code: "AccessDeniedException", status: 400 };
}

/** The cluster of the role that signed a request; for the administrator, the cluster of the requested item. */
async function clusterOf(roles: Roles, request: ApiRequest): Promise<string | undefined> {
  const { service, token } = request;
  if (token !== undefined) return clusterOfRole((await roles.roleOf(request)).name);
  if (service !== "dynamodb") return undefined;
  const [key] = accessRequestsOf(request).flatMap(({ leadingKeys = [] }) => leadingKeys);
  return key?.replace(/^requests#/, "");
}
