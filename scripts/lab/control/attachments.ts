import { DescribeVolumesCommand, type Volume } from "@aws-sdk/client-ec2";
import { existsSync } from "node:fs";
import { rootDeviceNames } from "../debian/ami.ts";
import { machineProcess } from "../guest/machine.ts";
import { attachVolume, createVolume, detachVolume } from "../guest/volumes.ts";
import { layout } from "../paths.ts";
import { motoEc2 } from "./moto.ts";
import type { MotoCache } from "./moto-cache.ts";
import type { Instances } from "./instances.ts";
import { serialQueue } from "./one-at-a-time.ts";

type Attachment = { readonly volumeId: string; readonly instanceId: string; readonly device: string };

/** Attaches EBS volumes to guests and detaches them. Root volumes belong to their guests. */
export class Attachments {
  private readonly instances: Instances;
  private attached: readonly Attachment[] = [];
  /** The loop and calls reconcile. */
  private readonly enqueue = serialQueue();
  private readonly read: () => Promise<Volume[]>;

  constructor(instances: Instances, cache: MotoCache) {
    this.instances = instances;
    this.read = cache.cached(async () => (await motoEc2.send(new DescribeVolumesCommand({}))).Volumes ?? []);
  }

  async reconcile(): Promise<void> {
    await this.enqueue(() => this.apply());
  }

  /** The instance that uses a volume. For moto, the volume can be detached already. */
  userOf(volumeId: string): string | undefined {
    return this.attached.find((item) => item.volumeId === volumeId)?.instanceId;
  }

  private isLeaving(instanceId: string): boolean {
    const { instance, machine } = this.instances.managed.get(instanceId) ?? {};
    if (machine === undefined || machineProcess(machine) === undefined) return false;
    return ["shutting-down", "terminated"].includes(instance?.State?.Name ?? "");
  }

  private async apply(): Promise<void> {
    const wanted = await this.wanted();
    const attached: Attachment[] = [];
    for (const old of this.attached) {
      if (wanted.some((item) => same(item, old))) continue;
      // EC2 detaches a volume when its instance has ended, not when the instance starts to shut down.
      if (this.isLeaving(old.instanceId)) attached.push(old);
      else
        await detachVolume(
          this.instances.managed.get(old.instanceId)?.machine,
          this.instances.lab,
          old.volumeId,
          old.device,
        );
    }
    for (const item of wanted) {
      const machine = this.instances.managed.get(item.instanceId)?.machine;
      if (machine !== undefined && (await attachVolume(machine, item.volumeId, item.device)))
        attached.push(item);
    }
    this.attached = attached;
  }

  private async wanted(): Promise<Attachment[]> {
    const attachments: Attachment[] = [];
    for (const volume of await this.read())
      for (const attachment of volume.Attachments ?? []) {
        const instanceId = attachment.InstanceId ?? "";
        const volumeId = volume.VolumeId ?? "";
        if (attachment.Device === undefined || rootDeviceNames.includes(attachment.Device)) continue;
        // RunInstances creates the volumes of a block device mapping, not CreateVolume.
        if (!existsSync(layout.volume(this.instances.lab, volumeId)))
          await createVolume(this.instances.lab, {
            id: volumeId,
            gibibytes: volume.Size ?? 1,
            ...(volume.SnapshotId && { snapshotId: volume.SnapshotId }),
          });
        attachments.push({ volumeId, instanceId, device: attachment.Device });
      }
    return attachments;
  }
}

function same(a: Attachment, b: Attachment): boolean {
  return a.volumeId === b.volumeId && a.instanceId === b.instanceId && a.device === b.device;
}
