import { z } from "zod";

/** A part of the report that the supervisor could not read, and the reason. */
export const Unknown = z.object({ known: z.literal(false), reason: z.string() });
