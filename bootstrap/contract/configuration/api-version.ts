/** The value of `apiVersion` in every document of this project. */
export const apiVersion = "eclair-ami/v1";
