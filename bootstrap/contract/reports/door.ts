import { z } from "zod";

/** What a door reports about its connections. The totals count since the start of its process. */
export const DoorReport = z.object({
  /** Connections that pass bytes to or from Eclair. */
  passing: z.int(),
  /** Connections that wait for an Eclair, or for its first answer. */
  held: z.int(),
  acceptedTotal: z.int(),
  /** Connections that waited because no Eclair could be reached. */
  heldTotal: z.int(),
  /** Connections whose handshake was repeated with the next holder of the lease. */
  movedTotal: z.int(),
  /** Connections that were closed because no Eclair served in time. */
  expiredTotal: z.int(),
  /** Connections that were refused because of a limit. */
  refusedTotal: z.int(),
  /** Connections that were reset because their Eclair lost the lease. */
  cutTotal: z.int(),
});
export type DoorReport = z.infer<typeof DoorReport>;
