import { home } from "../../addresses.ts";
import { isRead, queryError, queryResponse, type ApiResponse } from "../../front/query.ts";
import type { Interceptor } from "../../front/server.ts";
import type { Groups } from "../scaling.ts";
import { CallError, type ScalingHandlers } from "./scaling-error.ts";
import { groupHandlers } from "./scaling-groups.ts";
import { memberHandlers } from "./scaling-members.ts";

const version = "2011-01-01";
const namespace = `autoscaling.amazonaws.com/doc/${version}`;

/** The calls of Auto Scaling that a group of nodes needs. Groups exist in the region of the clusters only. */
export function scalingCalls(groups: Groups): Interceptor {
  const handlers: ScalingHandlers = { ...groupHandlers(groups), ...memberHandlers(groups) };
  return async (call): Promise<ApiResponse | undefined> => {
    const { action, form, scope } = call;
    if (form.get("Version") !== version) return undefined;
    const isHome = scope.accountId === home.accountId && scope.region === home.region;
    if (!isHome)
      return isRead(call)
        ? queryResponse(action, namespace, "")
        : queryError("InvalidAction", `The lab has no Auto Scaling in ${scope.region}`);
    const handler = Object.hasOwn(handlers, action) ? handlers[action] : undefined;
    if (handler === undefined)
      return queryError("InvalidAction", `The lab's Auto Scaling does not support ${action}`);
    try {
      return queryResponse(action, namespace, await handler(form));
    } catch (error) {
      if (error instanceof CallError) return queryError(error.code, error.message);
      throw error;
    }
  };
}
