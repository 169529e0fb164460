const purposes = ["node", "setup", "operator"] as const;

/** The name of an IAM role that the lab creates for a cluster. */
export const roleName = (cluster: string, purpose: (typeof purposes)[number]): string =>
  `${cluster}-${purpose}`;

/** The cluster of a role that `roleName` named. */
export const clusterOfRole = (name: string): string =>
  name.replace(new RegExp(`-(${purposes.join("|")})$`), "");
