import { isRead, queryAnswer, queryError, type Answer } from "../front/query.ts";
import type { Intercept } from "../front/server.ts";
import type { TargetState } from "../nlb/haproxy.ts";
import type { LoadBalancers } from "./load-balancers.ts";

const version = "2015-12-01";
const namespace = `elasticloadbalancing.amazonaws.com/doc/${version}`;

/** What ELB accepts of an NLB's health checks, and moto doesn't look at. */
const bounds: readonly { name: string; least: number; most: number }[] = [
  { name: "HealthCheckIntervalSeconds", least: 5, most: 300 },
  { name: "HealthCheckTimeoutSeconds", least: 2, most: 120 },
  { name: "HealthyThresholdCount", least: 2, most: 10 },
  { name: "UnhealthyThresholdCount", least: 2, most: 10 },
];

/** Elastic Load Balancing: changes reach HAProxy before the call answers, and health is what HAProxy sees. */
export function elbCalls(balancers: LoadBalancers, changed: () => Promise<void>): Intercept {
  return async (call, passOn) => {
    const { action, form } = call;
    if (form.get("Version") !== version) return undefined;
    if (action === "CreateTargetGroup" || action === "ModifyTargetGroup") {
      const wrong = bounds.find(({ name, least, most }) => {
        const value = form.get(name);
        return value !== null && (Number(value) < least || Number(value) > most);
      });
      if (wrong !== undefined)
        return queryError("ValidationError", `${wrong.name} must be from ${wrong.least} to ${wrong.most}`);
    }
    const answer = await passOn();
    // "If the specified target does not exist, the action returns successfully": ELB's API reference.
    if (action === "DeregisterTargets" && answer.body.includes("InvalidTarget"))
      return queryAnswer(action, namespace, "");
    if (answer.status !== 200) return answer;
    if (action === "DescribeTargetHealth")
      return healthAnswer(await balancers.health(form.get("TargetGroupArn") ?? ""));
    if (!isRead(call)) await changed();
    return answer;
  };
}

const reasons: Readonly<Record<TargetState, string>> = {
  healthy: "",
  unhealthy: "Target.FailedHealthChecks",
  initial: "Elb.InitialHealthChecking",
  unused: "Target.NotInUse",
};

function healthAnswer(
  seen: readonly { target: { Id?: string | undefined; Port?: number | undefined }; state: TargetState }[],
): Answer {
  const members = seen.map(({ target, state }) => {
    const reason = reasons[state] === "" ? "" : `<Reason>${reasons[state]}</Reason>`;
    return `<member><Target><Id>${target.Id}</Id><Port>${target.Port}</Port></Target><TargetHealth><State>${state}</State>${reason}</TargetHealth></member>`;
  });
  return queryAnswer(
    "DescribeTargetHealth",
    namespace,
    `<TargetHealthDescriptions>${members.join("")}</TargetHealthDescriptions>`,
  );
}
