/** The launch template of the instances that no group launches, such as those of `init` and `launch`. */
export const singleTemplateName = (cluster: string): string => `${cluster}-single`;
