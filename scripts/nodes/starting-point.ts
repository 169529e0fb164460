import type { Chain } from "../../bootstrap/config/node.ts";

/** A node's configuration with every setting explained; what stands in capitals is to be replaced. */
export function startingPoint(chain: Chain): string {
  const local = `  # On this instance. \`peers\` are connected to and no others; without them bitcoind finds its own.
  local:
    peers: []`;
  const remote = `  # A bitcoind of your own, with txindex, ZMQ and a loaded wallet.
  remote:
    host: BITCOIND.EXAMPLE.INTERNAL
    rpcPort: 8332
    zmqBlock: BITCOIND.EXAMPLE.INTERNAL:29000
    zmqTx: BITCOIND.EXAMPLE.INTERNAL:29001
    secret: CLUSTER/bitcoind # JSON with username and password`;
  return `# The configuration of an Eclair node: user-data of its instances. It names secrets and holds none.
# yaml-language-server: $schema=./node.schema.json (from \`eclair-ami config schema\`)
apiVersion: eclair-ami/v1
kind: Node
# Names what belongs together: instances, volumes, record.
cluster: CLUSTER
chain: ${chain}
# The node id that the node seed must give; any other is refused.
nodeId: "02…"
alias: ALIAS
color: "49daaa"
# Announced to the network.
publicAddresses: []
# ARNs or names in Secrets Manager. Seeds are 32 bytes in hex or base64: the secret's text,
# or the values of nodeSeed and channelSeed in its JSON, so that one secret can hold both.
secrets:
  nodeSeed: CLUSTER/seeds
  channelSeed: CLUSTER/seeds
database:
  # JSON with username and password, as RDS writes it.
  secret: RDS-SECRET-ARN
  # The name in the server's certificate.
  host: CLUSTER.XXXXXXXXXX.REGION.rds.amazonaws.com
  port: 5432
  name: eclair
  leaseSeconds: 15
  leaseRenewalSeconds: 5
bitcoind:
${chain === "regtest" ? local : remote}
  wallet: eclair
${
  chain === "regtest"
    ? `# The volume that holds the chain: the one kept from the last instance in the same availability zone,
# or a new one, from \`snapshot\` when it is named.
dataVolume:
  sizeGibibytes: 10
`
    : ""
}# ARNs of the target groups that the instance joins. Their health check asks /active on port 8090.
targetGroups: []
java:
  heapMebibytes: 1024
eclair:
  # Names below \`eclair.\` in Eclair's reference.conf, such as relay.fees.public-channels.fee-base-msat.
  settings: {}
`;
}
