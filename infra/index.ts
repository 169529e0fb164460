/**
 * The AWS resources of an Eclair node as CDK constructs, for the CDK code of users. Every property is a plain id, ARN or name, so
 * that each part can be replaced with a resource that exists already. docs/stack.md shows an example.
 */
export { ClusterTable } from "./cluster-table.ts";
export { NodeCluster, type NodeClusterProps } from "./cluster/node-cluster.ts";
export type { Running } from "./cluster/launch-template.ts";
export type { NodeSecretNames } from "./cluster/roles.ts";
export { NodeAddresses, type Address } from "./state/addresses.ts";
export { NodeDatabase, type Database, type NodeDatabaseProps } from "./state/database.ts";
export { NodeKeys } from "./state/keys.ts";
export { NodeNetwork, type Network, type NodeNetworkProps, type ZoneSubnetIds } from "./state/network.ts";
export { NodeTargetGroup } from "./state/target-group.ts";
