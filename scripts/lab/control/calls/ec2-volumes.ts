import { existsSync } from "node:fs";
import { withUsers } from "../../front/ec2-documents.ts";
import { ec2Error, elementText } from "../../front/query.ts";
import {
  createVolume,
  deleteSnapshot,
  deleteVolume,
  hasSnapshot,
  resizeVolume,
  snapshotVolume,
} from "../../guest/volumes.ts";
import { layout, type LabPaths } from "../../paths.ts";
import type { Attachments } from "../attachments.ts";
import type { Ec2Handlers } from "./ec2-handler.ts";

/** The calls of EBS. */
export function volumeHandlers(lab: LabPaths, attachments: Attachments): Ec2Handlers {
  return {
    CreateVolume: async (form, forward) => {
      const snapshotId = form.get("SnapshotId") ?? undefined;
      if (snapshotId !== undefined && !hasSnapshot(lab, snapshotId))
        return ec2Error("InvalidSnapshot.NotFound", `The lab has no disk for the snapshot '${snapshotId}'`);
      const response = await forward();
      const volumeId = elementText(response.body, "volumeId");
      const gibibytes = Number(elementText(response.body, "size"));
      if (volumeId !== undefined)
        await createVolume(lab, { id: volumeId, gibibytes, ...(snapshotId !== undefined && { snapshotId }) });
      return response;
    },
    CreateSnapshot: async (form, forward) => {
      const volumeId = form.get("VolumeId") ?? "";
      if (!existsSync(layout.volume(lab, volumeId)))
        return ec2Error(
          "UnsupportedOperation",
          "The lab creates no snapshot of a root volume: create an image of the instance",
        );
      const response = await forward();
      const snapshotId = elementText(response.body, "snapshotId");
      if (snapshotId !== undefined) await snapshotVolume(lab, volumeId, snapshotId);
      return response;
    },
    DescribeVolumes: async (_form, forward) => {
      const response = await forward();
      return { ...response, body: withUsers(response.body, (id) => attachments.userOf(id)) };
    },
    ModifyVolume: async (form, forward) => {
      const response = await forward();
      const gibibytes = form.get("Size");
      if (response.status === 200 && gibibytes !== null)
        await resizeVolume(lab, form.get("VolumeId") ?? "", Number(gibibytes));
      return response;
    },
    AttachVolume: async (form, forward) => {
      const volumeId = form.get("VolumeId") ?? "";
      if (attachments.userOf(volumeId) !== undefined)
        return ec2Error("VolumeInUse", `${volumeId} is already attached to an instance`);
      const response = await forward();
      await attachments.reconcile();
      return response;
    },
    DetachVolume: async (_form, forward) => {
      const response = await forward();
      await attachments.reconcile();
      return response;
    },
    DeleteVolume: async (form, forward) => {
      const response = await forward();
      if (response.status === 200) deleteVolume(lab, form.get("VolumeId") ?? "");
      return response;
    },
    DeleteSnapshot: async (form, forward) => {
      const response = await forward();
      if (response.status === 200) deleteSnapshot(lab, form.get("SnapshotId") ?? "");
      return response;
    },
  };
}
