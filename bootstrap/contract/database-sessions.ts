/** `application_name` of each kind of session in a node's database, for pg_stat_activity and the server's log. */
export const sessionNames = {
  eclair: "eclair",
  supervisor: "eclair-supervisor",
  boot: "eclair-bootstrap",
  setup: "eclair-ami-setup",
} as const;
