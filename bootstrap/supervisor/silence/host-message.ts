import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";

/**
 * What the supervisors of a cluster's hosts say to each other, in one UDP datagram:
 * - `ask`: the holder of the lease has no answer of the database. `promise`: neither has this host, and it will not claim the lease
 *   for two seconds. `refuse`: this host has an answer.
 * - `hello`: the holder asks whether this host can be reached. `here`: it can.
 */
export const HostMessage = z.strictObject({
  kind: z.enum(["ask", "promise", "refuse", "hello", "here"]),
  /** A reply has the id of its question. */
  id: z.string(),
});
export type HostMessage = z.infer<typeof HostMessage>;

const macBytes = 32;

/** @param receiver the address of the receiver, so that no other host accepts the message */
export function encodeMessage(message: HostMessage, key: Buffer, receiver: string): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([macOf(body, key, receiver), body]);
}

/** @returns undefined for a message of another sender than a host of the cluster */
export function decodeMessage(datagram: Buffer, key: Buffer, receiver: string): HostMessage | undefined {
  const mac = datagram.subarray(0, macBytes);
  const body = datagram.subarray(macBytes);
  if (mac.length !== macBytes || !timingSafeEqual(mac, macOf(body, key, receiver))) return undefined;
  return HostMessage.safeParse(JSON.parse(body.toString("utf8"))).data;
}

const macOf = (body: Buffer, key: Buffer, receiver: string): Buffer =>
  createHmac("sha256", key).update(`${receiver}\n`).update(body).digest();
