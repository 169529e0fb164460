import {
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotAttributeCommand,
  EnableImageDeprecationCommand,
  EnableImageDeregistrationProtectionCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  type LaunchPermission,
} from "@aws-sdk/client-ec2";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { Release } from "../document/schema.ts";
import type { Publication } from "./publication.ts";

const millisecondsPerDay = 24 * 60 * 60 * 1000;

/** Sets the date of deprecation and the protection, unless they are set. */
export async function protectImage(publication: Publication, region: string): Promise<void> {
  const { release } = publication.options;
  const ec2 = publication.ec2In(region);
  const { imageId: ImageId } = await publication.imageIn(region);
  const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] }));
  const { DeprecationTime, DeregistrationProtection } = Images?.[0] ?? {};
  if (DeprecationTime === undefined) {
    const DeprecateAt = new Date(Date.now() + release.deprecation.afterDays * millisecondsPerDay);
    await ec2.send(new EnableImageDeprecationCommand({ ImageId, DeprecateAt }));
  }
  if (DeregistrationProtection !== `enabled-${release.deregistrationProtection}`)
    await ec2.send(
      new EnableImageDeregistrationProtectionCommand({
        ImageId,
        WithCooldown: release.deregistrationProtection === "with-cooldown",
      }),
    );
}

/** Shares the snapshots, then the image: a consumer never sees an image whose snapshots are not shared yet. */
export async function shareImage(publication: Publication, region: string): Promise<void> {
  const { release } = publication.options;
  const ec2 = publication.ec2In(region);
  const { imageId: ImageId, snapshotIds } = await publication.imageIn(region);
  const { accounts } = release.principals;
  if (release.shareSnapshots === "accounts" && accounts.length > 0)
    for (const SnapshotId of snapshotIds) {
      const Attribute = "createVolumePermission";
      const { CreateVolumePermissions = [] } = await ec2.send(
        new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute }),
      );
      const known = new Set(CreateVolumePermissions.map(({ UserId }) => UserId));
      const UserIds = accounts.filter((account) => !known.has(account));
      if (UserIds.length > 0)
        await ec2.send(
          new ModifySnapshotAttributeCommand({ SnapshotId, Attribute, OperationType: "add", UserIds }),
        );
    }
  const wanted = launchPermissions(release);
  const before = await readPermissions(publication, region, ImageId);
  const missing = wanted.filter((permission) => !before.has(keyOf(permission)));
  if (missing.length > 0)
    await ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add: missing } }));
  await requireExactly(publication, region, ImageId, wanted);
}

const launchPermissions = ({ principals }: Release): LaunchPermission[] => [
  ...principals.accounts.map((UserId) => ({ UserId })),
  ...principals.organizations.map((OrganizationArn) => ({ OrganizationArn })),
  ...principals.organizationalUnits.map((OrganizationalUnitArn) => ({ OrganizationalUnitArn })),
];

const keyOf = ({ UserId, OrganizationArn, OrganizationalUnitArn, Group }: LaunchPermission): string =>
  UserId ?? OrganizationArn ?? OrganizationalUnitArn ?? Group ?? "";

async function readPermissions(
  publication: Publication,
  region: string,
  ImageId: string,
): Promise<ReadonlySet<string>> {
  const { LaunchPermissions = [] } = await publication
    .ec2In(region)
    .send(new DescribeImageAttributeCommand({ ImageId, Attribute: "launchPermission" }));
  return new Set(LaunchPermissions.map(keyOf));
}

/** Reads the permissions back: nobody is missing, and nobody else may launch the image. */
async function requireExactly(
  publication: Publication,
  region: string,
  imageId: string,
  wanted: readonly LaunchPermission[],
): Promise<void> {
  const found = await readPermissions(publication, region, imageId);
  const names = wanted.map(keyOf);
  const missing = names.filter((name) => !found.has(name));
  const unexpected = [...found].filter((name) => !names.includes(name));
  if (missing.length === 0 && unexpected.length === 0) return;
  throw new EclairAmiError({
    code: "release.permission-unexpected",
    operation: `sharing ${imageId} in ${region}`,
    message: [
      ...missing.map((name) => `${name} may not launch the image`),
      ...unexpected.map((name) => `${name} may launch the image, and the release document does not name it`),
    ].join("; "),
    remedy:
      "add the principal to the release document, or remove the permission with `aws ec2 modify-image-attribute`, then run the command again",
  });
}
