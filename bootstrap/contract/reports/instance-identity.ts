import { z } from "zod";

/** EC2's instance identity document, the part that this project uses. */
export const InstanceIdentity = z.object({
  accountId: z.string(),
  architecture: z.string(),
  availabilityZone: z.string(),
  imageId: z.string(),
  instanceId: z.string(),
  instanceType: z.string(),
  privateIp: z.string(),
  region: z.string(),
});
export type InstanceIdentity = z.infer<typeof InstanceIdentity>;
