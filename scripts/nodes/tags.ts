/** Marks the instances of a cluster. */
export const clusterTag = "eclair-ami:cluster";
