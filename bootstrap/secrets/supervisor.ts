import { z } from "zod";
import { Credentials } from "./shapes.ts";

/** What the supervisor reads, and what a boot that runs again goes on with. */
export const SupervisorSecrets = z.strictObject({
  database: Credentials,
  supervisor: Credentials,
  apiPassword: z.string(),
  /** The passwords that were made at this boot. */
  local: z.strictObject({ bitcoind: z.string(), supervisor: z.string(), api: z.string() }),
  /** What bitcoind is to watch; nobody can spend with it, and anybody could count. */
  watched: z
    .strictObject({
      descriptors: z.array(z.strictObject({ text: z.string(), internal: z.boolean() })),
      birthday: z.int(),
    })
    .optional(),
});
export type SupervisorSecrets = z.infer<typeof SupervisorSecrets>;
