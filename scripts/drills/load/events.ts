import { z } from "zod";
import { handshakeOutcomes } from "../../lightning/handshake.ts";

/** The endpoint of the probes that go through the load balancer's address in a zone. */
export const addressIn = (zone: string) => `load balancer ${zone}`;

/** What the load and the probes of a drill report, one event a line; every time in milliseconds since 1970. */
export const LoadEvent = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("probe"),
    /** When the probe started. */
    at: z.number(),
    /** The instance id of the host whose Eclair is probed directly, or an address of the load balancer. */
    endpoint: z.string(),
    outcome: z.enum(handshakeOutcomes),
    /** When the outcome was known. */
    endedAt: z.number(),
  }),
  z.strictObject({
    kind: z.literal("acknowledged"),
    at: z.number(),
    instanceId: z.string(),
    paymentHash: z.string(),
    invoice: z.string(),
  }),
  z.strictObject({
    kind: z.literal("payment"),
    /** When the peer started to pay. */
    at: z.number(),
    /** When the payment had succeeded or failed. */
    endedAt: z.number(),
    /** Of the invoice; absent when the payment failed. */
    paymentHash: z.string().optional(),
    /** Why the payment failed. */
    problem: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal("chain-call"),
    /** A call that Eclair has answered; for `onchainbalance`, Eclair asks its bitcoind. */
    method: z.enum(["getinfo", "onchainbalance"]),
    at: z.number(),
    endedAt: z.number(),
    /** Of `getinfo`. */
    blockHeight: z.int().optional(),
  }),
]);
export type LoadEvent = z.infer<typeof LoadEvent>;

export type Probe = Extract<LoadEvent, { kind: "probe" }>;
export type AcknowledgedWrite = Extract<LoadEvent, { kind: "acknowledged" }>;
export type Payment = Extract<LoadEvent, { kind: "payment" }>;
export type ChainCall = Extract<LoadEvent, { kind: "chain-call" }>;

/** Writes an event for the process that started this one. */
export function reportEvent(event: LoadEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
