import type { Chain } from "../../bootstrap/config/node.ts";

/** Room for each chain with its transaction index, and to grow for some years. */
const volumeGibibytes: Readonly<Record<Chain, number>> = {
  mainnet: 1200,
  testnet: 400,
  testnet4: 100,
  signet: 100,
  regtest: 10,
};

/** A node's configuration with every setting explained; what stands in capitals is to be replaced. */
export function startingPoint(chain: Chain): string {
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
# The on-chain keys are a BIP39 mnemonic: the secret's text, or JSON with mnemonic, passphrase and birthday
# (the wallet looks for no older coins). bitcoind's wallet only watches them.
secrets:
  nodeSeed: CLUSTER/seeds
  channelSeed: CLUSTER/seeds
  onChain: CLUSTER/on-chain
  # The password of Eclair's API, which is made anew at each boot otherwise.
  # api: CLUSTER/api
database:
  # The runtime role's login, which \`eclair-ami init\` makes: JSON with username and password.
  secret: CLUSTER/database
  # The name in the server's certificate.
  host: CLUSTER.XXXXXXXXXX.REGION.rds.amazonaws.com
  port: 5432
  name: eclair
  leaseSeconds: 15
  leaseRenewalSeconds: 5
# The DynamoDB table of the cluster record. takeoverWithout lets Eclair start while it can't be read: see
# docs/identity.md for the risk.
record:
  table: eclair-ami
  takeoverWithout: false
bitcoind:
  # On this instance. \`peers\` are connected to and no others; without them bitcoind finds its own.
  # Or \`remote\`, with host, rpcPort, zmqBlock, zmqTx (host:port) and secret (JSON with username and password).
  local:
    peers: []
  wallet: eclair
# The volume that holds the chain: the one kept from the last instance in the same availability zone,
# or a new one, from \`snapshot\` when it is named.
dataVolume:
  sizeGibibytes: ${volumeGibibytes[chain]}
# ARNs of the target groups that the instance joins. Their health check asks /active on port 8090.
targetGroups: []
java:
  heapMebibytes: 1024
eclair:
  # Names below \`eclair.\` in Eclair's reference.conf, such as relay.fees.public-channels.fee-base-msat.
  settings: {}
`;
}

/** What a cluster's set-up must know, with every setting explained. */
export function setupStartingPoint(chain: Chain): string {
  return `# What \`eclair-ami init\`, \`adopt\`, \`verify\` and \`database repoint\` need to know of a cluster. It names secrets
# and holds none.
apiVersion: eclair-ami/v1
kind: ClusterSetup
cluster: CLUSTER
chain: ${chain}
# Only when there is a node seed already: the node id that it must give.
# nodeId: "02…"
# The DynamoDB table of the cluster record.
record:
  table: eclair-ami
# Names in Secrets Manager; \`init --make-secrets\` makes those that are missing. One secret can hold them all.
secrets:
  nodeSeed: CLUSTER/seeds
  channelSeed: CLUSTER/seeds
  onChain: CLUSTER/on-chain
database:
  # The login of the database's owner, as RDS manages it: only the set-up's role may read it.
  ownerSecret: RDS-SECRET-ARN
  # The runtime role's login, which is made.
  secret: CLUSTER/database
  # The name in the server's certificate.
  host: CLUSTER.XXXXXXXXXX.REGION.rds.amazonaws.com
  port: 5432
  name: eclair
`;
}
