/**
 * Scripts for an Eclair that runs without a supervisor: the firewall of an instance permits Eclair's packets to other hosts only
 * while a supervisor renews the permit (bootstrap/supervisor/silence/outgoing-permit.ts).
 */
export const permitEclairPackets =
  "nft insert rule inet filter output oif != lo ip daddr != 169.254.169.254 meta skuid eclair accept";
export const restoreFirewall = "nft --file /etc/nftables.conf";
