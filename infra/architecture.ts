/** The architectures of images and instances, as EC2 calls them. */
export const architectures = ["x86_64", "arm64"] as const;
export type Architecture = (typeof architectures)[number];
