/** The names of the stacks of a cluster in CloudFormation. The account stack serves all clusters of an account and region. */
export const stackNames = (cluster: string) =>
  ({
    account: "eclair-ami-account",
    state: `eclair-ami-${cluster}-state`,
    cluster: `eclair-ami-${cluster}-cluster`,
  }) as const;
