import type { EC2Client, Volume } from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { logError, logEvent } from "../os/log.ts";

const enlargeTimeoutMilliseconds = 60_000;
const pollMilliseconds = 2_000;
/** https://docs.aws.amazon.com/ebs/latest/userguide/monitoring-volume-modifications.html: the new size is usable. */
const usableStates = ["optimizing", "completed"];

/**
 * Enlarges a volume that is smaller than the configuration requires. The node starts in any case: EC2 limits how
 * often a volume can be changed, and a later boot tries again.
 */
export async function enlarge(ec2: EC2Client, volume: Volume, gibibytes: number): Promise<void> {
  const { VolumeId: volumeId = "", Size: size = gibibytes } = volume;
  if (size >= gibibytes) return;
  const { DescribeVolumesModificationsCommand, ModifyVolumeCommand } = await import("@aws-sdk/client-ec2");
  try {
    await ec2.send(new ModifyVolumeCommand({ VolumeId: volumeId, Size: gibibytes }));
    const deadline = performance.now() + enlargeTimeoutMilliseconds;
    for (;;) {
      const { VolumesModifications = [] } = await ec2.send(
        new DescribeVolumesModificationsCommand({ VolumeIds: [volumeId] }),
      );
      const change = VolumesModifications.find(({ TargetSize }) => TargetSize === gibibytes);
      if (usableStates.includes(change?.ModificationState ?? "")) break;
      if (change?.ModificationState === "failed" || performance.now() > deadline)
        throw new Error(
          `the change is ${change?.ModificationState}: ${change?.StatusMessage ?? "no reason"}`,
        );
      await sleep(pollMilliseconds);
    }
    logEvent("volume.enlarged", { volumeId, from: size, to: gibibytes });
  } catch (error) {
    logError("volume.enlarge-failed", error, { volumeId, from: size, to: gibibytes });
  }
}
