import type { Chain } from "../../../bootstrap/contract/configuration/node.ts";

/** Space for each chain with its transaction index, and for several years of growth. */
const volumeGibibytes: Readonly<Record<Chain, number>> = {
  mainnet: 1200,
  testnet: 400,
  testnet4: 100,
  signet: 100,
  regtest: 10,
};

/** A node's configuration with a comment for every setting. The reader replaces the words in capitals. */
export function exampleNode(chain: Chain): string {
  return `# The configuration of an Eclair node: the user-data of its instances. It contains names of secrets, and no secret.
# yaml-language-server: $schema=./node.schema.json (from \`eclair-ami config schema\`)
apiVersion: eclair-ami/v1
kind: Node
# The name of the cluster: its instances, volumes and record carry this name.
cluster: CLUSTER
chain: ${chain}
# The node id of the node seed. An instance refuses any other node seed.
nodeId: "02…"
alias: ALIAS
color: "49daaa"
# The addresses that the node announces to the network.
publicAddresses: []
# ARNs or names in Secrets Manager. A seed has 32 bytes in hex or base64. The seed is the secret's text, or the value of
# nodeSeed or channelSeed in the secret's JSON: one secret can contain both seeds.
# onChain is a BIP39 mnemonic: the secret's text, or JSON with mnemonic, passphrase and birthday. The wallet searches
# for no coins from before the birthday. bitcoind's wallet is watch-only.
secrets:
  nodeSeed: CLUSTER/seeds
  channelSeed: CLUSTER/seeds
  onChain: CLUSTER/on-chain
  # The password of Eclair's API. Without this key, each boot creates a new password.
  # apiPassword: CLUSTER/api
database:
  # The login of the runtime role, which \`eclair-ami init\` creates: JSON with username and password.
  secret: CLUSTER/database
  # The host name in the server's certificate.
  host: CLUSTER.XXXXXXXXXX.REGION.rds.amazonaws.com
  port: 5432
  name: eclair
  leaseSeconds: 40
  leaseRenewalSeconds: 5
# The DynamoDB table of the cluster record. allowStartWithoutRecord permits Eclair to start while the record cannot be
# read: docs/identity.md describes the risk.
record:
  table: eclair-ami
  allowStartWithoutRecord: false
bitcoind:
  # bitcoind on this instance. bitcoind connects to \`peers\` and to no other node; without peers, bitcoind finds its own.
  local:
    peers: []
  # bitcoinds on other hosts, in the order of preference. Eclair uses the first bitcoind that works (docs/bitcoind.md). An
  # entry has the keys host, rpcPort, zmqBlock, zmqTx (host:port), secret (JSON with username and password), tls and ca.
  remotes: []
  wallet: eclair
# The volume for bitcoind's chain. An instance uses the volume of an earlier instance of the cluster in its Availability
# Zone. Without one, the instance creates a volume, from \`snapshotId\` when this key is present.
chainVolume:
  sizeGibibytes: ${volumeGibibytes[chain]}
# The ARNs of the target groups that the instance joins. Their health check is /serving on port 8090.
targetGroupArns: []
java:
  heapMebibytes: 1024
eclair:
  # Names below \`eclair.\` in Eclair's reference.conf, such as relay.fees.public-channels.fee-base-msat.
  settings: {}
`;
}

/** A document for `init`, `adopt`, `verify` and the `database` commands, with a comment for every setting. */
export function exampleClusterSetup(chain: Chain): string {
  return `# The input of \`eclair-ami init\`, \`adopt\`, \`verify\` and the \`database\` commands. It contains names of secrets, and no
# secret.
apiVersion: eclair-ami/v1
kind: ClusterSetup
cluster: CLUSTER
chain: ${chain}
# The node id of the node seed, when the node seed exists already.
# nodeId: "02…"
# The DynamoDB table of the cluster record.
record:
  table: eclair-ami
# Names in Secrets Manager. \`init --create-secrets\` creates the secrets that do not exist. One secret can contain all.
secrets:
  nodeSeed: CLUSTER/seeds
  channelSeed: CLUSTER/seeds
  onChain: CLUSTER/on-chain
database:
  # The login of the database's owner, as RDS manages it. Only the role of the cluster setup may read this secret.
  ownerSecret: RDS-SECRET-ARN
  # The login of the runtime role. \`init\` and \`adopt\` create it.
  secret: CLUSTER/database
  # The host name in the server's certificate.
  host: CLUSTER.XXXXXXXXXX.REGION.rds.amazonaws.com
  port: 5432
  name: eclair
`;
}
