/**
 * `application_name` of each kind of session in a node's database, for pg_stat_activity and the server's log. The sessions
 * of an Eclair have `eclair`, the separator and a text that is unique to its process (/opt/eclair/bin/eclair-run).
 */
export const sessionNames = {
  eclair: "eclair",
  supervisor: "eclair-supervisor",
  boot: "eclair-bootstrap",
  setup: "eclair-ami-setup",
  separator: "/",
} as const;

/** Whether a session with this `application_name` belongs to an Eclair. */
export const isEclairSession = (applicationName: string): boolean =>
  applicationName.split(sessionNames.separator)[0] === sessionNames.eclair;
