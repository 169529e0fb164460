import { z } from "zod";
import { Credentials } from "./shapes.ts";

/** The secrets that the supervisor reads. A repeated boot reads the local passwords. */
export const SupervisorSecrets = z.strictObject({
  database: Credentials,
  bitcoind: z.strictObject({ eclair: Credentials, gate: Credentials, remotes: z.array(Credentials) }),
  apiPassword: z.string(),
  /** The key of the messages between the cluster's hosts, in hex. */
  hostKey: z.string(),
  /** The passwords that the first boot generated. */
  local: z.strictObject({ bitcoind: z.string(), gate: z.string(), api: z.string() }),
  /** The descriptors that bitcoind watches. They reveal the balance of the wallet, and permit no spending. */
  watched: z
    .strictObject({
      descriptors: z.array(z.strictObject({ text: z.string(), internal: z.boolean() })),
      birthday: z.int(),
    })
    .optional(),
});
export type SupervisorSecrets = z.infer<typeof SupervisorSecrets>;
