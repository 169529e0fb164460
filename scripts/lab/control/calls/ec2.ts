import { existsSync, readFileSync } from "node:fs";
import { messageOf } from "../../../../bootstrap/contract/errors.ts";
import { rootDeviceNames } from "../../debian/ami.ts";
import { withRootDevices, withStates } from "../../front/ec2-documents.ts";
import { withRootSize, withSource, withTemplate } from "../../front/launch-template.ts";
import { ec2Error, ec2Response, elementText, listOf } from "../../front/query.ts";
import type { Interceptor } from "../../front/server.ts";
import { startMachine, stopMachine } from "../../guest/machine-lifecycle.ts";
import { consoleFile } from "../../guest/machine.ts";
import { commitImage, imageLayers, recordImage, type Layers } from "../../guest/root-volume.ts";
import type { Attachments } from "../attachments.ts";
import type { Instances } from "../instances.ts";
import type { Ec2Handler, Ec2Handlers } from "./ec2-handler.ts";
import { volumeHandlers } from "./ec2-volumes.ts";
import { launchTemplateOf, templateData } from "./launch-templates.ts";

/** EC2 returns the last 64 KB of a console. */
const consoleBytes = 64 * 1024;

/** The calls of EC2 that moto alone cannot answer. */
export function ec2Calls(
  instances: Instances,
  attachments: Attachments,
  reconcile: () => Promise<void>,
): Interceptor {
  const handlers: Ec2Handlers = {
    ...instanceHandlers(instances, reconcile),
    ...imageHandlers(instances),
    ...volumeHandlers(instances.lab, attachments),
  };
  return async (call, forward) => {
    const handler = Object.hasOwn(handlers, call.action) ? handlers[call.action] : undefined;
    return handler && (await handler(call.form, forward, call.scope));
  };
}

function instanceHandlers(instances: Instances, reconcile: () => Promise<void>): Ec2Handlers {
  const { lab } = instances;
  const thenReconcile: Ec2Handler = async (_form, forward, scope) => {
    instances.follow(scope);
    const response = await forward();
    // The call has changed the instances already, and the loop of the controller reconciles again.
    await reconcile().catch((error: unknown) => console.error(`reconcile: ${messageOf(error)}`));
    return response;
  };
  return {
    RunInstances: async (form, forward, scope) => {
      const data = await launchTemplateOf(form, scope);
      const complete = data === undefined ? form : withTemplate(form, data);
      const imageId = complete.get("ImageId");
      const layers = imageId === null ? undefined : imageLayers(lab, imageId);
      if (imageId !== null && layers === undefined)
        return ec2Error("InvalidAMIID.NotFound", `The image id '[${imageId}]' does not exist`);
      const sized =
        layers === undefined ? complete : withRootSize(complete, rootDeviceNames, layers.gibibytes);
      return await thenReconcile(sized, async () => await forward(sized), scope);
    },
    CreateLaunchTemplateVersion: async (form, forward, scope) => {
      const source = form.get("SourceVersion");
      const data = source === null ? undefined : await templateData(form, source, scope);
      return await forward(data === undefined ? form : withSource(form, data));
    },
    StartInstances: thenReconcile,
    StopInstances: thenReconcile,
    TerminateInstances: thenReconcile,
    DescribeInstances: async (_form, forward) => {
      const response = await forward();
      return { ...response, body: withStates(response.body, (id) => instances.stateOf(id)) };
    },
    RebootInstances: async (form, forward) => {
      for (const id of listOf(form, "InstanceId"))
        await instances.exclusively(id, async (machine) => {
          await stopMachine(machine);
          await startMachine(machine, imageOf(instances, id));
        });
      return await forward();
    },
    GetConsoleOutput: async (form) => {
      const id = form.get("InstanceId") ?? "";
      const file = consoleFile(lab, id);
      if (!instances.managed.has(id) && !existsSync(file)) return instanceNotFound(id);
      const text = existsSync(file) ? readFileSync(file).subarray(-consoleBytes) : Buffer.alloc(0);
      const output = text.toString("base64");
      return ec2Response(
        "GetConsoleOutput",
        `<instanceId>${id}</instanceId><timestamp>${new Date().toISOString()}</timestamp><output>${output}</output>`,
      );
    },
  };
}

function imageHandlers(instances: Instances): Ec2Handlers {
  const { lab } = instances;
  return {
    DescribeImages: async (_form, forward) => {
      const response = await forward();
      return { ...response, body: withRootDevices(response.body, (id) => imageLayers(lab, id)?.gibibytes) };
    },
    CreateImage: async (form, forward) => {
      const id = form.get("InstanceId") ?? "";
      if (!instances.managed.has(id)) return instanceNotFound(id);
      return await instances.exclusively(id, async (machine) => {
        const isRunning = instances.managed.get(id)?.instance.State?.Name === "running";
        // Without NoReboot, EC2 shuts a running instance down for the snapshot and starts it again.
        const restart = isRunning && form.get("NoReboot") !== "true";
        if (!isRunning || restart) await stopMachine(machine);
        const response = await forward();
        const imageId = elementText(response.body, "imageId");
        if (imageId !== undefined) await commitImage(machine.root, imageId);
        if (restart) await startMachine(machine, imageOf(instances, id));
        return response;
      });
    },
    // The copies of an image share its layers.
    CopyImage: async (form, forward) => {
      const source = imageLayers(lab, form.get("SourceImageId") ?? "");
      const response = await forward();
      const copyId = elementText(response.body, "imageId");
      if (source !== undefined && copyId !== undefined) recordImage(lab, copyId, source);
      return response;
    },
  };
}

const instanceNotFound = (id: string) =>
  ec2Error("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);

function imageOf({ lab, managed }: Instances, instanceId: string): Layers {
  const imageId = managed.get(instanceId)?.instance.ImageId ?? "";
  const layers = imageLayers(lab, imageId);
  if (layers === undefined) throw new Error(`the lab has no disk of image ${imageId}`);
  return layers;
}
