import {
  DeregisterTargetsCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { EclairAmiError, messageOf } from "../contract/errors.ts";
import { oncePastPending } from "./pending.ts";
import { clientSettings, type AwsSettings } from "./clients.ts";

/** Registers the instance with every target group. The call is idempotent. */
export async function registerTargets(
  groups: readonly string[],
  instanceId: string,
  aws: AwsSettings,
): Promise<void> {
  await inEach(groups, instanceId, aws, async (client, target) => {
    try {
      await oncePastPending(() => client.send(new RegisterTargetsCommand(target)));
    } catch (error) {
      throw explain(error, target.TargetGroupArn, "RegisterTargets");
    }
  });
}

export async function deregisterTargets(
  groups: readonly string[],
  instanceId: string,
  aws: AwsSettings,
): Promise<void> {
  await inEach(groups, instanceId, aws, (client, target) =>
    client.send(new DeregisterTargetsCommand(target)),
  );
}

type GroupTarget = { TargetGroupArn: string; Targets: [{ Id: string }] };

async function inEach(
  groups: readonly string[],
  instanceId: string,
  aws: AwsSettings,
  call: (client: ElasticLoadBalancingV2Client, target: GroupTarget) => Promise<unknown>,
): Promise<void> {
  const client = new ElasticLoadBalancingV2Client(clientSettings(aws));
  await Promise.all(
    groups.map((arn) => call(client, { TargetGroupArn: arn, Targets: [{ Id: instanceId }] })),
  );
}

function explain(error: unknown, arn: string, action: string): EclairAmiError {
  const name = error instanceof Error ? error.name : "";
  const statement = JSON.stringify({
    Effect: "Allow",
    Action: `elasticloadbalancing:${action}`,
    Resource: arn,
  });
  if (/TargetGroupNotFound|ValidationError|InvalidTarget/.test(name))
    return new EclairAmiError(
      {
        code: "target-group.not-found",
        operation: "registering with the target groups",
        message: `this instance cannot be registered with ${arn}: ${name} ${messageOf(error)}`,
        remedy:
          "correct targetGroupArns in the node's configuration: name a target group of this region and VPC with target type instance",
      },
      { cause: error },
    );
  if (/AccessDenied|Unauthorized/.test(name))
    return new EclairAmiError(
      {
        code: "target-group.denied",
        operation: "registering with the target groups",
        message: `elasticloadbalancing:${action} was denied for ${arn}: ${messageOf(error)}`,
        remedy: `give the instance's role this statement: ${statement}`,
      },
      { cause: error },
    );
  return new EclairAmiError(
    {
      code: "target-group.unreachable",
      operation: "registering with the target groups",
      message: `this instance cannot be registered with ${arn}: ${name} ${messageOf(error)}`,
      remedy: "check the network path to the ELB API (endpoint, NAT gateway). The boot tries again",
      retryable: true,
    },
    { cause: error },
  );
}
