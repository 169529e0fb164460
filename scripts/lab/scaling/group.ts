import { z } from "zod";

export const transitions = {
  launching: "autoscaling:EC2_INSTANCE_LAUNCHING",
  terminating: "autoscaling:EC2_INSTANCE_TERMINATING",
} as const;

export const Hook = z.strictObject({
  name: z.string(),
  transition: z.enum([transitions.launching, transitions.terminating]),
  heartbeatSeconds: z.int().positive(),
  defaultResult: z.enum(["CONTINUE", "ABANDON"]),
});
export type Hook = z.infer<typeof Hook>;

/** The lifecycle states of AWS that the lab implements. */
export const LifecycleState = z.enum([
  "Pending",
  "Pending:Wait",
  "InService",
  "Terminating:Wait",
  "Terminating:Proceed",
]);

export const Member = z.strictObject({
  instanceId: z.string(),
  zone: z.string(),
  /** The version of the launch template. */
  version: z.string(),
  state: LifecycleState,
  healthy: z.boolean(),
  /** Protected from scale-in: the group does not choose the member when it has too many. */
  protected: z.boolean(),
  /** The hooks that are not completed yet, with their timeout in milliseconds since 1970. */
  waits: z.array(z.strictObject({ hook: z.string(), until: z.number() })),
});
export type Member = z.infer<typeof Member>;

/** An Auto Scaling group of the lab. */
export const Group = z.strictObject({
  name: z.string(),
  min: z.int().nonnegative(),
  max: z.int().nonnegative(),
  desired: z.int().nonnegative(),
  template: z.strictObject({ id: z.string(), name: z.string(), version: z.string() }),
  /** Subnet ids by availability zone. */
  subnets: z.record(z.string(), z.string()),
  tags: z.array(z.strictObject({ key: z.string(), value: z.string(), atLaunch: z.boolean() })),
  hooks: z.array(Hook),
  /** The names of the suspended processes. The lab implements AZRebalance. */
  suspended: z.array(z.string()),
  members: z.array(Member),
  createdAt: z.string(),
});
export type Group = z.infer<typeof Group>;

export const isTerminating = ({ state }: Member): boolean =>
  state === "Terminating:Wait" || state === "Terminating:Proceed";
