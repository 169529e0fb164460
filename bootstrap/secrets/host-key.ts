import { hkdfSync } from "node:crypto";

const keyBytes = 32;

/**
 * The key with which the hosts of a cluster authenticate their messages to each other. Every host has the node seed, which never
 * changes: hosts with different logins understand each other. Nobody can compute the seed from the key (RFC 5869).
 * @returns lower-case hex
 */
export const hostKey = (nodeSeed: Uint8Array, cluster: string): string =>
  Buffer.from(hkdfSync("sha256", nodeSeed, cluster, "eclair-ami messages between hosts", keyBytes)).toString(
    "hex",
  );
