/** The lifecycle hooks of an Auto Scaling group of nodes. Other hooks belong to their owners. */
export const hookNames = {
  launching: "eclair-ami-launching",
  terminating: "eclair-ami-terminating",
} as const;
export type HookName = (typeof hookNames)[keyof typeof hookNames];
