const purposes = ["node", "setup", "operator"] as const;
export type RolePurpose = (typeof purposes)[number];

/** The name of an IAM role of a cluster, and of its instance profile. */
export const roleName = (cluster: string, purpose: RolePurpose): string => `${cluster}-${purpose}`;

/** The cluster of a role that `roleName` named. */
export const clusterOfRole = (name: string): string =>
  name.replace(new RegExp(`-(${purposes.join("|")})$`), "");
