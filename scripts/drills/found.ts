import { z } from "zod";

/** What the processes beside a drill tell; times in milliseconds since 1970. */
export const Found = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("probe"),
    at: z.number(),
    /** A host's instance id, or `balancer`. */
    place: z.string(),
    /** The node finished its part of the handshake. */
    answered: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal("connections"),
    at: z.number(),
    /** How many the load balancer has sent to each host so far, by instance id. */
    connections: z.record(z.string(), z.number()),
  }),
  z.strictObject({
    kind: z.literal("acknowledged"),
    at: z.number(),
    instanceId: z.string(),
    paymentHash: z.string(),
    /** The invoice itself. */
    invoice: z.string(),
  }),
  z.strictObject({
    kind: z.literal("payment"),
    /** When the peer began to pay. */
    at: z.number(),
    /** Of the invoice; none when it could not be paid. */
    paymentHash: z.string().optional(),
    /** Why it could not be paid. */
    why: z.string().optional(),
  }),
]);
export type Found = z.infer<typeof Found>;

export type Probe = Extract<Found, { kind: "probe" }>;
export type Acknowledged = Extract<Found, { kind: "acknowledged" }>;
export type Connections = Extract<Found, { kind: "connections" }>;
export type Payment = Extract<Found, { kind: "payment" }>;
