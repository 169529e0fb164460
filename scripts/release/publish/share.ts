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
import { setTimeout as sleep } from "node:timers/promises";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import { imageParameter, requireFree } from "../channels/parameters.ts";
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

/**
 * Shares the snapshots, then the image: a consumer never sees an image whose snapshots are not shared yet. A parameter that
 * another party owns is found before.
 */
export async function shareImage(publication: Publication, region: string): Promise<void> {
  const { target, release } = publication.options;
  const ec2 = publication.ec2In(region);
  const { imageId: ImageId, snapshotIds } = await publication.imageIn(region);
  const { version, architecture } = publication;
  await requireFree(target, region, imageParameter(release.parameterPrefix, version, architecture), ImageId);
  const accounts = release.shareSnapshots === "accounts" ? release.principals.accounts : [];
  for (const SnapshotId of snapshotIds) {
    const Attribute = "createVolumePermission";
    const read = async () => {
      const { CreateVolumePermissions = [] } = await ec2.send(
        new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute }),
      );
      return new Set(CreateVolumePermissions.map(({ UserId, Group }) => UserId ?? Group ?? ""));
    };
    const before = await read();
    const UserIds = accounts.filter((account) => !before.has(account));
    if (UserIds.length > 0)
      await ec2.send(
        new ModifySnapshotAttributeCommand({ SnapshotId, Attribute, OperationType: "add", UserIds }),
      );
    await requireExactly(publication, `${SnapshotId} in ${region}`, accounts, read);
  }
  const wanted = launchPermissions(release);
  const read = () => readPermissions(publication, region, ImageId);
  const before = await read();
  const missing = wanted.filter((permission) => !before.has(keyOf(permission)));
  if (missing.length > 0)
    await ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add: missing } }));
  await requireExactly(publication, `${ImageId} in ${region}`, wanted.map(keyOf), read);
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

const readBackMilliseconds = { lab: 5_000, aws: 60_000 } as const;
const pollIntervalMilliseconds = { lab: 100, aws: 2_000 } as const;

/** Reads permissions back: nobody is missing after some time, and nobody else has one. */
async function requireExactly(
  { options: { target } }: Publication,
  subject: string,
  names: readonly string[],
  read: () => Promise<ReadonlySet<string>>,
): Promise<void> {
  const deadline = performance.now() + readBackMilliseconds[target.name];
  for (;;) {
    const found = await read();
    const missing = names.filter((name) => !found.has(name));
    const unexpected = [...found].filter((name) => !names.includes(name));
    if (missing.length === 0 && unexpected.length === 0) return;
    if (unexpected.length === 0 && performance.now() < deadline) {
      await sleep(pollIntervalMilliseconds[target.name]);
      continue;
    }
    throw new EclairAmiError({
      code: "release.permission-unexpected",
      operation: `sharing ${subject}`,
      message: [
        ...missing.map((name) => `${name} has no permission`),
        ...unexpected.map((name) => `${name} has a permission, and the release document does not name it`),
      ].join("; "),
      remedy:
        "add the principal to the release document, or remove the permission with `aws ec2 modify-image-attribute` or `modify-snapshot-attribute`, then run the command again",
    });
  }
}
