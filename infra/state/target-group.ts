import { CfnTargetGroup } from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { Construct } from "constructs";
import { ports } from "../../bootstrap/contract/ports.ts";
import { retain } from "../retained.ts";

/**
 * The target group that the instances join. The configuration of the node names its ARN, so the group outlives the load
 * balancer: a load balancer that is created again uses the same group.
 */
export class NodeTargetGroup extends Construct {
  readonly arn: string;

  constructor(
    scope: Construct,
    id: string,
    { name, vpcId }: { readonly name: string; readonly vpcId: string },
  ) {
    super(scope, id);
    const group = new CfnTargetGroup(this, "TargetGroup", {
      name,
      vpcId,
      targetType: "instance",
      protocol: "TCP",
      port: ports.lightning,
      healthCheckProtocol: "HTTP",
      healthCheckPort: String(ports.health),
      healthCheckPath: "/serving",
      // The shortest detection of a lost host that a Network Load Balancer permits.
      healthCheckIntervalSeconds: 5,
      healthCheckTimeoutSeconds: 2,
      healthyThresholdCount: 2,
      unhealthyThresholdCount: 2,
      // A door limits the connections of an address.
      targetGroupAttributes: [{ key: "preserve_client_ip.enabled", value: "true" }],
    });
    this.arn = retain(group, "TargetGroup").ref;
  }
}
