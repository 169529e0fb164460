import { z } from "zod";
import { apiVersion } from "../../../bootstrap/contract/configuration/api-version.ts";
import { partitions } from "../../../infra/policies/statements.ts";

const AccountId = z.string().regex(/^\d{12}$/, "must be an account id of twelve digits, in quotes");
const RegionName = z
  .string()
  .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be the name of a region, such as eu-central-1");

/** The parts of an ARN, such as `arn:aws:kms:eu-central-1:123456789012:key/1234abcd`. */
const arn = (service: string, resource: RegExp, example: string) =>
  z
    .string()
    .regex(
      new RegExp(`^arn:[a-z-]+:${service}:[a-z0-9-]*:\\d{12}:${resource.source}$`),
      `must be an ARN such as ${example}`,
    );

const KeyArn = arn(
  "kms",
  /key\/.+/,
  "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
);

/** Images with this key, which a bake uses by default, cannot be shared. */
const isDefaultKey = (text: unknown) => typeof text === "string" && text.includes("alias/aws/ebs");

const RoleArn = arn("iam", /role\/.+/, "arn:aws:iam::123456789012:role/publisher");

/** A channel has no version's name: both are folders below the parameter prefix. */
const ChannelName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, "must begin with a letter and contain a-z, 0-9 and hyphens")
  .refine((name) => name !== "images", "must not be `images`: that folder contains the facts of images");

const Test = z.strictObject({
  /** The subnet of the instance that tests an image; by default, a default subnet of the region. */
  subnetId: z
    .string()
    .regex(/^subnet-/, "must begin with subnet-")
    .optional(),
  securityGroupIds: z.array(z.string().regex(/^sg-/, "must begin with sg-")).default([]),
  /** The name of an instance profile; an image test needs none. */
  instanceProfile: z.string().min(1).optional(),
  instanceTypes: z
    .strictObject({ x86_64: z.string().default("t3.medium"), arm64: z.string().default("t4g.medium") })
    .prefault({}),
});

const Region = z.strictObject({
  /** The customer managed key that encrypts the image in this region. `policy image-key` prints its policy. */
  kmsKeyArn: z
    .string()
    .refine((text) => !isDefaultKey(text), {
      message:
        "must not be aws/ebs, the default key of a bake: an image with this key cannot be shared. Create a customer managed key, and bake with --kms-key",
      abort: true,
    })
    .pipe(KeyArn),
  test: Test.prefault({}),
});

const Principals = z
  .strictObject({
    accounts: z.array(AccountId).default([]),
    organizations: z
      .array(
        arn("organizations", /organization\/o-.+/, "arn:aws:organizations::123456789012:organization/o-abc"),
      )
      .default([]),
    organizationalUnits: z
      .array(
        arn("organizations", /ou\/o-[^/]+\/ou-.+/, "arn:aws:organizations::123456789012:ou/o-abc/ou-def"),
      )
      .default([]),
  })
  .describe("who may launch the published images");

/** The document that describes where and to whom images are published: `release.yaml`. */
export const Release = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("Release"),
  partition: z.enum(partitions).default("aws"),
  /** The account that owns the published images. */
  accountId: AccountId,
  /** The role to assume for every call; without it, the credentials of the caller are used. */
  roleArn: RoleArn.optional(),
  regions: z
    .record(RegionName, Region)
    .refine((regions) => Object.keys(regions).length > 0, "must contain at least one region"),
  principals: Principals.prefault({}),
  /** Whether the accounts in `principals` may also copy the images: EC2 shares snapshots with accounts only. */
  shareSnapshots: z.enum(["accounts", "off"]).default("accounts"),
  /** The parameters are PREFIX/VERSION/ARCHITECTURE/image_id and PREFIX/CHANNEL/ARCHITECTURE/image_id. */
  parameterPrefix: z
    .string()
    .max(200)
    .regex(/^(\/[A-Za-z0-9_.-]+)+$/, "must be a path such as /eclair-ami, without a slash at its end")
    .refine(
      (prefix) => !/^\/(aws|ssm)/i.test(prefix),
      "must not begin with /aws or /ssm: AWS reserves these names",
    ),
  channels: z
    .array(ChannelName)
    .min(1)
    .refine((names) => new Set(names).size === names.length, "must not contain a name twice")
    .default(["candidate", "stable"]),
  retention: z
    .strictObject({
      /** The number of versions that `prune` keeps in each channel. */
      versions: z.int().min(1).default(3),
      /** An image that an instance was launched from within this time is in use. */
      launchedWithinDays: z.int().min(0).default(30),
    })
    .prefault({}),
  deprecation: z
    .strictObject({
      /** EC2 accepts at most ten years. */
      afterDays: z.int().min(1).max(3650).default(365),
    })
    .prefault({}),
  /** With a cooldown, EC2 deregisters an image 24 hours after the end of its protection. */
  deregistrationProtection: z.enum(["with-cooldown", "without-cooldown"]).default("with-cooldown"),
  manifests: z.strictObject({
    /** A bucket with versioning. */
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be the name of a bucket"),
    region: RegionName,
    /** Begins the names of all objects. */
    prefix: z
      .string()
      .regex(/^([A-Za-z0-9_.-]+\/)*$/, "must be empty or end with a slash")
      .default(""),
  }),
});
export type Release = z.infer<typeof Release>;
export type ReleaseRegion = Release["regions"][string];
