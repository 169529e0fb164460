import { DescribeVolumesCommand, type Volume } from "@aws-sdk/client-ec2";
import { existsSync } from "node:fs";
import { inTurn } from "../../core/in-turn.ts";
import { rootDeviceNames } from "../debian-ami.ts";
import { machineProcess } from "../guest/machine.ts";
import { attachVolume, createVolume, detachVolume } from "../guest/volumes.ts";
import { layout } from "../place.ts";
import { motoEc2 } from "./aws.ts";
import type { Changes } from "./changes.ts";
import type { Instances } from "./instances.ts";

type Attachment = { readonly volumeId: string; readonly instanceId: string; readonly device: string };

/** Makes EBS volumes beside the root appear in the guests that moto has them attached to. */
export class Attachments {
  private readonly instances: Instances;
  private done: Attachment[] = [];
  private readonly oneAtATime = inTurn();
  private readonly read: () => Promise<Volume[]>;

  constructor(instances: Instances, changes: Changes) {
    this.instances = instances;
    this.read = changes.kept(async () => (await motoEc2.send(new DescribeVolumesCommand({}))).Volumes ?? []);
  }

  /** One at a time: the loop and the calls that change something both come here. */
  async reconcile(): Promise<void> {
    await this.oneAtATime(() => this.apply());
  }

  /** The instance that has a volume, also when moto has it detached already. */
  heldBy(volumeId: string): string | undefined {
    return this.done.find((item) => item.volumeId === volumeId)?.instanceId;
  }

  private isLeaving(instanceId: string): boolean {
    const { instance, machine } = this.instances.managed.get(instanceId) ?? {};
    if (machine === undefined || machineProcess(machine) === undefined) return false;
    return ["shutting-down", "terminated"].includes(instance?.State?.Name ?? "");
  }

  private async apply(): Promise<void> {
    const wanted = await this.wanted();
    const attached: Attachment[] = [];
    for (const old of this.done) {
      if (wanted.some((item) => same(item, old))) continue;
      // EC2 gives a volume back when the instance has ended, not when it was told to.
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
    this.done = attached;
  }

  private async wanted(): Promise<Attachment[]> {
    const found: Attachment[] = [];
    for (const volume of await this.read())
      for (const attachment of volume.Attachments ?? []) {
        const instanceId = attachment.InstanceId ?? "";
        const volumeId = volume.VolumeId ?? "";
        if (attachment.Device === undefined || rootDeviceNames.includes(attachment.Device)) continue;
        // A volume of a block device mapping is made with its instance, not by CreateVolume.
        if (!existsSync(layout.volume(this.instances.lab, volumeId)))
          await createVolume(this.instances.lab, {
            id: volumeId,
            gibibytes: volume.Size ?? 1,
            ...(volume.SnapshotId && { snapshotId: volume.SnapshotId }),
          });
        found.push({ volumeId, instanceId, device: attachment.Device });
      }
    return found;
  }
}

function same(a: Attachment, b: Attachment): boolean {
  return a.volumeId === b.volumeId && a.instanceId === b.instanceId && a.device === b.device;
}
