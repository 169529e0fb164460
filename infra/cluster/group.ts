import { CfnAutoScalingGroup } from "aws-cdk-lib/aws-autoscaling";
import { Construct } from "constructs";
import { hookNames } from "../../bootstrap/contract/lifecycle-hooks.ts";
import { tags } from "../../bootstrap/contract/tags.ts";
import { acceptFinding } from "../accept-finding.ts";
import type { Network } from "../state/network.ts";
import type { NodeLaunchTemplate } from "./launch-template.ts";

export type NodeGroupProps = {
  readonly name: string;
  readonly network: Network;
  readonly template: Pick<NodeLaunchTemplate, "templateId" | "version">;
};

/**
 * The Auto Scaling group of a node. `stack deploy` suspends the process AZRebalance, for which CloudFormation has no property.
 * The group has no target groups: the instances register themselves. It has no UpdatePolicy and no desired capacity: only
 * `replace` ends instances.
 */
export class NodeGroup extends Construct {
  readonly groupName: string;

  constructor(scope: Construct, id: string, { name, network, template }: NodeGroupProps) {
    super(scope, id);
    const tag = (key: string) => ({ key, value: name, propagateAtLaunch: true });
    const group = new CfnAutoScalingGroup(this, "Group", {
      autoScalingGroupName: name,
      launchTemplate: { launchTemplateId: template.templateId, version: template.version },
      minSize: "2",
      maxSize: "2",
      vpcZoneIdentifier: Object.values(network.subnetIds).map(({ node }) => node),
      healthCheckType: "EC2",
      // Created with the group: an instance does not wait for a hook that is created after its launch.
      lifecycleHookSpecificationList: [
        {
          lifecycleHookName: hookNames.launching,
          lifecycleTransition: "autoscaling:EC2_INSTANCE_LAUNCHING",
          // A boot that is repeated extends the timeout.
          heartbeatTimeout: 600,
          defaultResult: "ABANDON",
        },
        {
          lifecycleHookName: hookNames.terminating,
          lifecycleTransition: "autoscaling:EC2_INSTANCE_TERMINATING",
          // The active instance without a standby uses the 100 heartbeats that AWS permits for up to 48 hours.
          heartbeatTimeout: 1800,
          defaultResult: "CONTINUE",
        },
      ],
      tags: [tag(tags.cluster), tag("Name")],
    });
    acceptFinding(
      group,
      "AS3",
      "`status` reports the instances; notifications are the decision of the account",
    );
    this.groupName = group.ref;
  }
}
