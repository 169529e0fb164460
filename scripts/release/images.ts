import {
  DeleteSnapshotCommand,
  DescribeImagesCommand,
  type EC2Client,
  type Image,
} from "@aws-sdk/client-ec2";

export const isImageMissing = (error: unknown): boolean =>
  error instanceof Error && error.name.startsWith("InvalidAMIID");

/** @returns undefined when the image does not exist, or is not visible yet */
export async function findImage(ec2: EC2Client, imageId: string): Promise<Image | undefined> {
  try {
    const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
    return Images?.[0];
  } catch (error) {
    if (isImageMissing(error)) return undefined;
    throw error;
  }
}

/** Deletes snapshots. A snapshot that does not exist any more is no error. */
export async function deleteSnapshots(ec2: EC2Client, snapshotIds: readonly string[]): Promise<void> {
  for (const SnapshotId of snapshotIds)
    await ec2.send(new DeleteSnapshotCommand({ SnapshotId })).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === "InvalidSnapshot.NotFound")) throw error;
    });
}
