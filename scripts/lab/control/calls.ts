import {
  CreateTagsCommand,
  DescribeImagesCommand,
  DescribeLaunchTemplateVersionsCommand,
  type Tag,
} from "@aws-sdk/client-ec2";
import { existsSync, readFileSync } from "node:fs";
import {
  ec2Answer,
  ec2Error,
  elementText,
  listOf,
  splitTags,
  withHolders,
  withRootDevices,
  withStates,
  type Answer,
} from "../front/query.ts";
import { withSource, withTemplate, type TemplateData } from "../front/launch-template.ts";
import type { Intercept, PassOn } from "../front/server.ts";
import { consoleFile, startMachine, stopMachine } from "../guest/machine.ts";
import { commitImage, imageLayers, type Layers } from "../guest/root-volume.ts";
import {
  createVolume,
  deleteSnapshot,
  deleteVolume,
  isSnapshotThere,
  snapshotVolume,
} from "../guest/volumes.ts";
import { layout } from "../place.ts";
import { motoEc2 } from "./aws.ts";
import type { Instances } from "./instances.ts";
import type { Attachments } from "./attachments.ts";

/** EC2 keeps the last 64 KB of a console. */
const consoleBytes = 64 * 1024;

type Handler = (form: URLSearchParams, passOn: PassOn) => Promise<Answer | undefined>;

/** The EC2 calls that mean something on this machine, by their names. */
export function interceptedCalls(
  instances: Instances,
  attachments: Attachments,
  kick: () => Promise<void>,
): Intercept {
  const { lab } = instances;

  const imageOf = (instanceId: string): Layers => {
    const imageId = instances.managed.get(instanceId)?.instance.ImageId ?? "";
    const layers = imageLayers(lab, imageId);
    if (layers === undefined) throw new Error(`the lab has no disk of image ${imageId}`);
    return layers;
  };

  const thenReconcile: Handler = async (_form, passOn) => {
    const answer = await passOn();
    await kick();
    return answer;
  };

  const handlers: Readonly<Record<string, Handler>> = {
    RunInstances: async (form, passOn) => {
      const data = await templateOf(form);
      const whole = data === undefined ? form : withTemplate(form, data);
      const imageId = whole.get("ImageId");
      if (imageId !== null && imageLayers(lab, imageId) === undefined)
        return ec2Error("InvalidAMIID.NotFound", `The image id '[${imageId}]' does not exist`);
      return await thenReconcile(whole, async () => await passOn(whole));
    },
    CreateLaunchTemplateVersion: async (form, passOn) => {
      const source = form.get("SourceVersion");
      const data = source === null ? undefined : await templateData(form, source);
      return await passOn(data === undefined ? form : withSource(form, data));
    },
    StartInstances: thenReconcile,
    StopInstances: thenReconcile,
    TerminateInstances: thenReconcile,

    DescribeInstances: async (_form, passOn) => {
      const answer = await passOn();
      return { ...answer, body: withStates(answer.body, (id) => instances.stateOf(id)) };
    },

    DescribeImages: async (_form, passOn) => {
      const answer = await passOn();
      return { ...answer, body: withRootDevices(answer.body, (id) => imageLayers(lab, id)?.gibibytes) };
    },

    RebootInstances: async (form, passOn) => {
      for (const id of listOf(form, "InstanceId"))
        await instances.exclusively(id, async (machine) => {
          await stopMachine(machine);
          await startMachine(machine, imageOf(id));
        });
      return await passOn();
    },

    GetConsoleOutput: async (form) => {
      const id = form.get("InstanceId") ?? "";
      const file = consoleFile(lab, id);
      const found = instances.managed.has(id) || existsSync(file);
      if (!found) return ec2Error("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
      const text = existsSync(file) ? readFileSync(file).subarray(-consoleBytes) : Buffer.alloc(0);
      const output = text.toString("base64");
      return ec2Answer(
        "GetConsoleOutput",
        `<instanceId>${id}</instanceId><timestamp>${new Date().toISOString()}</timestamp><output>${output}</output>`,
      );
    },

    CreateImage: async (form, passOn) => {
      const id = form.get("InstanceId") ?? "";
      if (!instances.managed.has(id))
        return ec2Error("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
      return await instances.exclusively(id, async (machine) => {
        const running = instances.managed.get(id)?.instance.State?.Name === "running";
        // Unless told not to, EC2 shuts a running instance down for the snapshot and starts it again.
        const restart = running && form.get("NoReboot") !== "true";
        if (!running || restart) await stopMachine(machine);
        // moto takes no tags for the snapshot here: they are put on it afterwards.
        const { rest, tags } = splitTags(form, "snapshot");
        const answer = await passOn(rest);
        const imageId = elementText(answer.body, "imageId");
        if (imageId !== undefined) {
          await commitImage(machine.root, imageId);
          await tagSnapshots(imageId, tags);
        }
        if (restart) await startMachine(machine, imageOf(id));
        return answer;
      });
    },

    CreateVolume: async (form, passOn) => {
      const snapshotId = form.get("SnapshotId") ?? undefined;
      if (snapshotId !== undefined && !isSnapshotThere(lab, snapshotId))
        return ec2Error("InvalidSnapshot.NotFound", `The lab keeps no disk for the snapshot '${snapshotId}'`);
      const answer = await passOn();
      const volumeId = elementText(answer.body, "volumeId");
      const gibibytes = Number(elementText(answer.body, "size"));
      if (volumeId !== undefined)
        await createVolume(lab, { id: volumeId, gibibytes, ...(snapshotId !== undefined && { snapshotId }) });
      return answer;
    },

    CreateSnapshot: async (form, passOn) => {
      const volumeId = form.get("VolumeId") ?? "";
      if (!existsSync(layout.volume(lab, volumeId)))
        return ec2Error(
          "UnsupportedOperation",
          `The lab snapshots no root volume: make an image of the instance instead`,
        );
      const answer = await passOn();
      const snapshotId = elementText(answer.body, "snapshotId");
      if (snapshotId !== undefined) await snapshotVolume(lab, volumeId, snapshotId);
      return answer;
    },

    DescribeVolumes: async (_form, passOn) => {
      const answer = await passOn();
      return { ...answer, body: withHolders(answer.body, (id) => attachments.heldBy(id)) };
    },
    AttachVolume: async (form, passOn) => {
      const volumeId = form.get("VolumeId") ?? "";
      if (attachments.heldBy(volumeId) !== undefined)
        return ec2Error("VolumeInUse", `${volumeId} is already attached to an instance`);
      const answer = await passOn();
      await attachments.reconcile();
      return answer;
    },
    DetachVolume: async (_form, passOn) => {
      const answer = await passOn();
      await attachments.reconcile();
      return answer;
    },
    DeleteVolume: async (form, passOn) => {
      const answer = await passOn();
      if (answer.status === 200) deleteVolume(lab, form.get("VolumeId") ?? "");
      return answer;
    },
    DeleteSnapshot: async (form, passOn) => {
      const answer = await passOn();
      if (answer.status === 200) deleteSnapshot(lab, form.get("SnapshotId") ?? "");
      return answer;
    },
  };

  return async (call, passOn) => {
    const handler = Object.hasOwn(handlers, call.action) ? handlers[call.action] : undefined;
    return handler && (await handler(call.form, passOn));
  };
}

/** The launch template that a RunInstances call names. */
async function templateOf(form: URLSearchParams): Promise<TemplateData | undefined> {
  const named = new URLSearchParams();
  for (const name of ["LaunchTemplateId", "LaunchTemplateName"]) {
    const value = form.get(`LaunchTemplate.${name}`);
    if (value !== null) named.set(name, value);
  }
  if (named.size === 0) return undefined;
  return await templateData(named, form.get("LaunchTemplate.Version") ?? "$Default");
}

async function templateData(form: URLSearchParams, version: string): Promise<TemplateData | undefined> {
  const id = form.get("LaunchTemplateId");
  const { LaunchTemplateVersions } = await motoEc2.send(
    new DescribeLaunchTemplateVersionsCommand({
      ...(id !== null
        ? { LaunchTemplateId: id }
        : { LaunchTemplateName: form.get("LaunchTemplateName") ?? "" }),
      Versions: [version],
    }),
  );
  return LaunchTemplateVersions?.[0]?.LaunchTemplateData as TemplateData | undefined;
}

async function tagSnapshots(imageId: string, tags: Tag[]): Promise<void> {
  if (tags.length === 0) return;
  const { Images } = await motoEc2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
  const snapshots = (Images?.[0]?.BlockDeviceMappings ?? []).flatMap(
    (mapping) => mapping.Ebs?.SnapshotId ?? [],
  );
  await motoEc2.send(new CreateTagsCommand({ Resources: snapshots, Tags: tags }));
}
