/** The table's name when a configuration names none. */
export const defaultTable = "eclair-ami";
