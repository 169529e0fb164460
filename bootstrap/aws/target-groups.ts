import {
  DeregisterTargetsCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { BootFailure, messageOf } from "../failure.ts";
import { oncePastPending } from "./pending.ts";
import { clientSettings, type AwsSettings } from "./clients.ts";

/** Registers the instance in every target group; one that is registered already stays so. */
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

function explain(error: unknown, arn: string, action: string): BootFailure {
  const name = error instanceof Error ? error.name : "";
  const statement = JSON.stringify({
    Effect: "Allow",
    Action: `elasticloadbalancing:${action}`,
    Resource: arn,
  });
  if (/TargetGroupNotFound|ValidationError|InvalidTarget/.test(name))
    return new BootFailure(
      {
        code: "target-group.missing",
        cause: `this instance can't be registered in ${arn}: ${name} ${messageOf(error)}`,
        remedy:
          "correct targetGroups in the node's configuration: a group of this region and VPC, for instances",
      },
      { cause: error },
    );
  if (/AccessDenied|Unauthorized/.test(name))
    return new BootFailure(
      {
        code: "target-group.denied",
        cause: `elasticloadbalancing:${action} was refused for ${arn}: ${messageOf(error)}`,
        remedy: `allow the instance's role: ${statement}`,
      },
      { cause: error },
    );
  return new BootFailure(
    {
      code: "target-group.unreachable",
      cause: `this instance can't be registered in ${arn}: ${name} ${messageOf(error)}`,
      remedy: "look at the way to the ELB API; it is tried again",
      heals: true,
    },
    { cause: error },
  );
}
