import type { Chain } from "../../bootstrap/contract/configuration/node.ts";
import { defaultDatabase, defaultNetwork } from "../../infra/stack-document.ts";

/** A document for the `stack` commands, with a comment for every setting. The reader replaces the words in capitals. */
export const exampleStack = (
  chain: Chain,
): string => `# The input of \`eclair-ami stack\`: the AWS resources of a node.
# yaml-language-server: $schema=./stack.schema.json (from \`eclair-ami stack schema\`)
apiVersion: eclair-ami/v1
kind: Stack
# The name of the cluster, and of everything that the stacks create for it.
cluster: CLUSTER
chain: ${chain}
region: REGION
# Two or three Availability Zones of the region. Each has a subnet, and an address that the node announces. Their order cannot be
# changed afterwards; a third zone can be added at the end.
zones: [REGIONa, REGIONb]
network:
  # A new VPC with this /20 network. natGateways: each-zone, or one, which is cheaper and fails with its zone.
  cidr: ${defaultNetwork.cidr}
  natGateways: ${defaultNetwork.natGateways}
  # Or an existing VPC, in place of the two settings above:
  # existing:
  #   vpcId: vpc-…
  #   subnets:
  #     REGIONa: { public: subnet-…, node: subnet-…, database: subnet-… }
  #     REGIONb: { public: subnet-…, node: subnet-…, database: subnet-… }
database:
  # A new RDS for PostgreSQL with two zones. Its storage grows by itself up to ten times this size. The major version cannot be
  # changed here afterwards.
  instanceClass: ${defaultDatabase.instanceClass}
  storageGibibytes: ${defaultDatabase.storageGibibytes}
  majorVersion: "${defaultDatabase.majorVersion}"
  # Or an existing database, in place of the three settings above:
  # existing:
  #   host: CLUSTER.XXXXXXXXXX.REGION.rds.amazonaws.com
  #   port: 5432
  #   name: eclair
  #   ownerSecretArn: RDS-SECRET-ARN
  #   securityGroupId: sg-…
# The cluster table serves all clusters of the account and region. existing: true when it was not created by these stacks.
table:
  name: eclair-ami
  existing: false
instance:
  # x86_64 or arm64, as the image. The type has this architecture; by default m6i.large or m6g.large.
  architecture: x86_64
  # type: m6i.large
# Networks that may read the metrics at port 8090, in addition to \`health.scrapers\` in the configuration of the node.
scrapers: []
# Secrets that the configuration of the node names in addition: the logins of remote bitcoinds, the password of Eclair's API.
additionalSecrets: []
`;
