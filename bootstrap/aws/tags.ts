/** Marks what belongs to a cluster: its instances, and the volumes that they keep their chain on. */
export const clusterTag = "eclair-ami:cluster";

/** Says what a volume of a cluster is for. */
export const useTag = "eclair-ami:volume";
