import { isRead, queryError, queryResponse, type ApiResponse } from "../../front/query.ts";
import type { Interceptor } from "../../front/server.ts";
import type { TargetState } from "../../nlb/haproxy.ts";
import type { LoadBalancers } from "../load-balancers.ts";

const version = "2015-12-01";
const namespace = `elasticloadbalancing.amazonaws.com/doc/${version}`;

/** ELB's limits for the health checks of an NLB. moto does not check them. */
const limits: readonly { name: string; minimum: number; maximum: number }[] = [
  { name: "HealthCheckIntervalSeconds", minimum: 5, maximum: 300 },
  { name: "HealthCheckTimeoutSeconds", minimum: 2, maximum: 120 },
  { name: "HealthyThresholdCount", minimum: 2, maximum: 10 },
  { name: "UnhealthyThresholdCount", minimum: 2, maximum: 10 },
];

/** The calls of Elastic Load Balancing. HAProxy uses a change when the call returns, and its checks are the targets' health. */
export function elbCalls(balancers: LoadBalancers, reconcile: () => Promise<void>): Interceptor {
  return async (call, forward) => {
    const { action, form } = call;
    if (form.get("Version") !== version) return undefined;
    if (action === "CreateTargetGroup" || action === "ModifyTargetGroup") {
      const violated = limits.find(({ name, minimum, maximum }) => {
        const value = form.get(name);
        return value !== null && (Number(value) < minimum || Number(value) > maximum);
      });
      if (violated !== undefined)
        return queryError(
          "ValidationError",
          `${violated.name} must be from ${violated.minimum} to ${violated.maximum}`,
        );
    }
    const response = await forward();
    // "If the specified target does not exist, the action returns successfully": ELB's API reference.
    if (action === "DeregisterTargets" && response.body.includes("InvalidTarget"))
      return queryResponse(action, namespace, "");
    if (response.status !== 200) return response;
    if (action === "DescribeTargetHealth")
      return healthResponse(await balancers.health(form.get("TargetGroupArn") ?? ""));
    if (!isRead(call)) await reconcile();
    return response;
  };
}

const reasons: Readonly<Record<TargetState, string>> = {
  healthy: "",
  unhealthy: "Target.FailedHealthChecks",
  initial: "Elb.InitialHealthChecking",
  unused: "Target.NotInUse",
};

function healthResponse(
  health: readonly { target: { Id?: string | undefined; Port?: number | undefined }; state: TargetState }[],
): ApiResponse {
  const members = health.map(({ target, state }) => {
    const reason = reasons[state] === "" ? "" : `<Reason>${reasons[state]}</Reason>`;
    return `<member><Target><Id>${target.Id}</Id><Port>${target.Port}</Port></Target><TargetHealth><State>${state}</State>${reason}</TargetHealth></member>`;
  });
  return queryResponse(
    "DescribeTargetHealth",
    namespace,
    `<TargetHealthDescriptions>${members.join("")}</TargetHealthDescriptions>`,
  );
}
