import { Tags } from "aws-cdk-lib";
import { CfnEIP } from "aws-cdk-lib/aws-ec2";
import { Construct } from "constructs";
import { retain } from "../retained.ts";
import { idOf } from "./network.ts";

/** An Elastic IP address. */
export type Address = { readonly allocationId: string; readonly ip: string };

/**
 * An address for each zone. The node announces these addresses to the Lightning network, and peers remember them: the
 * addresses outlive every load balancer.
 */
export class NodeAddresses extends Construct {
  /** By the name of the zone, as in `Network`. */
  readonly byZone: Readonly<Record<string, Address>>;

  constructor(
    scope: Construct,
    id: string,
    { name, zones }: { readonly name: string; readonly zones: readonly string[] },
  ) {
    super(scope, id);
    this.byZone = Object.fromEntries(
      zones.map((zone) => {
        const address = retain(new CfnEIP(this, zone, { domain: "vpc" }), idOf("Address", zone));
        Tags.of(address).add("Name", `${name}-${zone}`);
        return [zone, { allocationId: address.attrAllocationId, ip: address.attrPublicIp }];
      }),
    );
  }
}
