import { credential } from "../aws/clients.ts";
import { rdsCertificates } from "../aws/rds-certificates.ts";
import type { DatabaseEndpoint } from "../contract/configuration/node.ts";
import { run } from "../os/run.ts";

/** The certificates that the document names, that the host of the instance passes as a systemd credential, or those of RDS. */
export const databaseCertificates = ({ ca }: Pick<DatabaseEndpoint, "ca">): string =>
  ca ?? credential("eclair-ami.database-ca") ?? rdsCertificates();

/** Starts units without waiting for them: they start after the boot's own unit. */
export async function startUnits(...units: string[]): Promise<void> {
  await run("systemctl", ["start", "--no-block", ...units]);
}
