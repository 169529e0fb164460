import { z } from "zod";

/** The endpoint of a probe that goes through the load balancer. */
export const loadBalancer = "load-balancer";

/** What the load and the probes of a drill report, one event a line; every time in milliseconds since 1970. */
export const LoadEvent = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("probe"),
    /** When the probe started. */
    at: z.number(),
    /** The instance id of a host, or `load-balancer`. */
    endpoint: z.string(),
    /** Whether the node completed its part of the handshake. */
    answered: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal("connections"),
    at: z.number(),
    /** How many connections the load balancer has sent to each host so far, by instance id. */
    connections: z.record(z.string(), z.number()),
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
    /** Of the invoice; absent when the payment failed. */
    paymentHash: z.string().optional(),
    /** Why the payment failed. */
    problem: z.string().optional(),
  }),
]);
export type LoadEvent = z.infer<typeof LoadEvent>;

export type Probe = Extract<LoadEvent, { kind: "probe" }>;
export type AcknowledgedWrite = Extract<LoadEvent, { kind: "acknowledged" }>;
export type ConnectionCounts = Extract<LoadEvent, { kind: "connections" }>;
export type Payment = Extract<LoadEvent, { kind: "payment" }>;

/** Writes an event for the process that started this one. */
export function reportEvent(event: LoadEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
