import { z } from "zod";
import { DoorReport } from "../contract/reports/door.ts";

/** Where the door passes connections. */
export const Route = z.discriminatedUnion("to", [
  /** No Eclair serves: connections are held. */
  z.object({ to: z.literal("nobody") }),
  z.object({
    to: z.literal("this-host"),
    eclairInstanceId: z.string(),
    /** The loopback address that Eclair listens on. */
    address: z.string(),
    /** Whether the supervisor knows that Eclair answers. */
    answers: z.boolean(),
  }),
  z.object({
    to: z.literal("other-host"),
    eclairInstanceId: z.string(),
    address: z.string(),
    /** Whether the other host has a door. */
    hasDoor: z.boolean(),
  }),
]);
export type Route = z.infer<typeof Route>;

/** The Eclair of this host that is connected to the database, also while it stops. */
const OwnEclair = z.object({
  eclairInstanceId: z.string(),
  /** In seconds on CLOCK_BOOTTIME: Eclair's bytes are passed only before this time. */
  until: z.number(),
});

/** One line of the supervisor to the door. */
export const DoorMessage = z.object({
  /** The host's own address. */
  address: z.string(),
  route: Route,
  /** The bytes of no other Eclair of this host are passed. */
  own: OwnEclair.optional(),
  /** The addresses of the cluster's other hosts, which may connect to the inner port. */
  hosts: z.array(z.string()),
  /** The host leaves the cluster: the door closes its connections, so that the peers connect elsewhere. */
  isLeaving: z.boolean(),
});
export type DoorMessage = z.infer<typeof DoorMessage>;

/** One line of the door to the supervisor. */
export const DoorStatus = z.object({
  report: DoorReport,
  /** Seconds since the active Eclair was known to answer through this door; absent when it never was. */
  answeredSecondsAgo: z.number().optional(),
  /** Why this door cannot reach an Eclair that serves. */
  problem: z.string().optional(),
});
export type DoorStatus = z.infer<typeof DoorStatus>;
