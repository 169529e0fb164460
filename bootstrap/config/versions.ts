/** The first line of every document that is meant for this project. */
export const apiVersion = "eclair-ami/v1";
