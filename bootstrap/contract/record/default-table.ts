/** The name of the cluster table when a configuration names none. */
export const defaultTable = "eclair-ami";
