import { credential } from "../aws/clients.ts";
import { rdsCertificates } from "../aws/rds-certificates.ts";
import { run } from "../os/run.ts";

/** The certificates that the host of the instance passes as a systemd credential, or those of RDS. */
export const databaseCertificates = (): string => credential("eclair-ami.database-ca") ?? rdsCertificates();

/** Starts units without waiting for them: they start after the boot's own unit. */
export async function startUnits(...units: string[]): Promise<void> {
  await run("systemctl", ["start", "--no-block", ...units]);
}
