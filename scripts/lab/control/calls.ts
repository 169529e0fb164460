import { existsSync, readFileSync } from "node:fs";
import {
  ec2Answer,
  ec2Error,
  elementText,
  listOf,
  withStates,
  type Answer,
} from "../front/query.ts";
import type { Intercept } from "../front/server.ts";
import { consoleFile, machineProcess, startMachine, stopMachine } from "../guest/machine.ts";
import { commitImage, imageLayers } from "../guest/root-volume.ts";
import { createVolume, deleteSnapshot, deleteVolume, isSnapshotThere, snapshotVolume } from "../guest/volumes.ts";
import { layout } from "../place.ts";
import type { Instances } from "./instances.ts";
import type { Attachments } from "./attachments.ts";

/** EC2 keeps the last 64 KB of a console. */
const consoleBytes = 64 * 1024;

type Handler = (form: URLSearchParams, passOn: () => Promise<Answer>) => Promise<Answer | undefined>;

/** The EC2 calls that mean something on this machine, by their names. */
export function interceptedCalls(instances: Instances, attachments: Attachments, kick: () => Promise<void>): Intercept {
  const { lab } = instances;

  const thenReconcile: Handler = async (_form, passOn) => {
    const answer = await passOn();
    await kick();
    return answer;
  };

  const handlers: Readonly<Record<string, Handler>> = {
    RunInstances: async (form, passOn) => {
      const imageId = form.get("ImageId");
      if (imageId !== null && imageLayers(lab, imageId) === undefined)
        return ec2Error("InvalidAMIID.NotFound", `The image id '[${imageId}]' does not exist`);
      return await thenReconcile(form, passOn);
    },
    StartInstances: thenReconcile,
    StopInstances: thenReconcile,
    TerminateInstances: thenReconcile,

    DescribeInstances: async (_form, passOn) => {
      const answer = await passOn();
      return { ...answer, body: withStates(answer.body, (id) => instances.stateOf(id)) };
    },

    RebootInstances: async (form, passOn) => {
      for (const id of listOf(form, "InstanceId"))
        await instances.exclusively(id, async (machine) => {
          const layers = imageLayers(lab, instances.managed.get(id)?.instance.ImageId ?? "") ?? [];
          await stopMachine(machine);
          await startMachine(machine, layers);
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
        const answer = await passOn();
        const imageId = elementText(answer.body, "imageId");
        if (imageId !== undefined) await commitImage(machine.root, imageId);
        if (restart && machineProcess(machine) === undefined)
          await startMachine(machine, imageLayers(lab, imageId ?? "") ?? []);
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
        return ec2Error("UnsupportedOperation", `The lab snapshots no root volume: make an image of the instance instead`);
      const answer = await passOn();
      const snapshotId = elementText(answer.body, "snapshotId");
      if (snapshotId !== undefined) await snapshotVolume(lab, volumeId, snapshotId);
      return answer;
    },

    AttachVolume: async (_form, passOn) => {
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
