import { z } from "zod";

/** The version ids of the secrets with logins, as an instance uses them. Secrets Manager generates the ids; they are not secret. */
export const SecretVersions = z.object({
  database: z.string(),
  /** Absent when each instance generates the password of Eclair's API. */
  api: z.string().optional(),
  /** Of the logins at the remote bitcoinds; absent without a remote bitcoind. */
  bitcoind: z.array(z.string()).optional(),
});
export type SecretVersions = z.infer<typeof SecretVersions>;
