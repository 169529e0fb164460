import {
  DescribeInstanceAttributeCommand,
  DescribeKeyPairsCommand,
  DescribeVolumesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type Instance,
} from "@aws-sdk/client-ec2";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { messageOf } from "../../core/failure.ts";
import { zones } from "../addresses.ts";
import type { InstanceState } from "../front/query.ts";
import { limitsOf } from "../guest/instance-types.ts";
import {
  clearMachine,
  machineEnd,
  machineProcess,
  startMachine,
  stopMachine,
  type Machine,
} from "../guest/machine.ts";
import { imageLayers } from "../guest/root-volume.ts";
import { debianRootGibibytes, rootDeviceNames } from "../debian-ami.ts";
import { layout, type LabPlace } from "../place.ts";
import { instancesOf, motoEc2 } from "./aws.ts";
import type { Changes } from "./changes.ts";

/** What moto believes of an instance, and the machine that makes it true. */
export type Managed = { readonly instance: Instance; readonly machine: Machine };

/** moto keeps each instance that ever was, and takes the longer to tell of them. */
const living = {
  Filters: [
    { Name: "instance-state-name", Values: ["pending", "running", "shutting-down", "stopping", "stopped"] },
  ],
};

/** Turns moto's instances into machines and back; one at a time for each instance. */
export class Instances {
  readonly lab: LabPlace;
  readonly managed = new Map<string, Managed>();
  /** The last of the calls that have an instance to themselves, and wait for one another. */
  private readonly exclusive = new Map<string, Promise<unknown>>();
  private readonly work = new Map<string, Promise<void>>();
  private readonly changes: Changes;
  private readonly read: () => Promise<Instance[]>;

  constructor(lab: LabPlace, changes: Changes) {
    this.lab = lab;
    this.changes = changes;
    this.read = changes.kept(async () => await this.describeAll());
  }

  /** Reads moto's instances and starts what each of them needs; the work goes on in the background. */
  async reconcile(): Promise<void> {
    for (const instance of await this.read()) {
      const id = instance.InstanceId ?? "";
      const machine = this.managed.get(id)?.machine ?? (await this.describe(instance));
      if (machine === undefined) continue;
      this.managed.set(id, { instance: this.asKnown(id, instance), machine });
      if (!this.work.has(id) && !this.exclusive.has(id)) this.begin(id, () => this.bringAbout(id));
    }
  }

  /** The living, and those that are gone and still have something here. */
  private async describeAll(): Promise<Instance[]> {
    const found = await instancesOf(living);
    const gone = new Set([...this.managed.keys(), ...foldersOf(this.lab)]);
    for (const { InstanceId } of found) gone.delete(InstanceId ?? "");
    return gone.size === 0 ? found : [...found, ...(await instancesOf({ InstanceIds: [...gone] }))];
  }

  /** moto forgets address and profile of an instance as it is told to go; on EC2 it has them until it is gone. */
  private asKnown(id: string, instance: Instance): Instance {
    const before = this.managed.get(id)?.instance;
    const leaving = instance.State?.Name === "shutting-down" || instance.State?.Name === "terminated";
    return before !== undefined && leaving ? { ...before, State: instance.State } : instance;
  }

  /** Runs `task` once the instance's work at hand is done, and keeps other work off meanwhile. */
  async exclusively<T>(id: string, task: (machine: Machine) => Promise<T>): Promise<T> {
    const found = this.managed.get(id);
    if (found === undefined) throw new Error(`the lab has no instance ${id}`);
    const before = this.exclusive.get(id) ?? Promise.resolve();
    const turn = (async () => {
      // How the one before ended is its own caller's to know.
      await before.catch(() => undefined);
      await this.work.get(id);
      return await task(found.machine);
    })();
    this.exclusive.set(id, turn);
    try {
      return await turn;
    } finally {
      if (this.exclusive.get(id) === turn) this.exclusive.delete(id);
    }
  }

  stateOf(id: string): InstanceState | undefined {
    const found = this.managed.get(id);
    const wanted = found?.instance.State?.Name;
    if (found === undefined || wanted === undefined) return undefined;
    const alive = machineProcess(found.machine) !== undefined;
    if (wanted === "stopped" && alive) return "stopping";
    if (wanted === "terminated" && alive) return "shutting-down";
    return undefined;
  }

  private begin(id: string, task: () => Promise<void>): void {
    const running = task()
      .catch((error: unknown) => console.error(`instance ${id}: ${messageOf(error)}`))
      .finally(() => this.work.delete(id));
    this.work.set(id, running);
  }

  private async bringAbout(id: string): Promise<void> {
    const { instance, machine } = this.managed.get(id) as Managed;
    const alive = machineProcess(machine) !== undefined;
    const ended = machineEnd(machine);
    switch (instance.State?.Name) {
      case "pending":
      case "running":
        if (alive || ended === "ending") return;
        if (ended === "off") return await this.guestWentOff(id, machine);
        if (ended === "reboot") await clearMachine(machine);
        return await this.start(instance, machine);
      case "stopping":
      case "stopped":
        if (alive || ended !== undefined) await stopMachine(machine);
        return;
      case "shutting-down":
      case "terminated":
        await stopMachine(machine);
        rmSync(layout.instance(this.lab, id), { recursive: true, force: true });
        this.managed.delete(id);
        return;
      default:
        return;
    }
  }

  private async start(instance: Instance, machine: Machine): Promise<void> {
    const layers = imageLayers(this.lab, instance.ImageId ?? "");
    if (layers === undefined) {
      console.error(`instance ${machine.instanceId}: the lab has no disk of image ${instance.ImageId}`);
      await this.change(motoEc2.send(new TerminateInstancesCommand({ InstanceIds: [machine.instanceId] })));
      return;
    }
    await startMachine(machine, layers);
  }

  /** The guest powered itself off: EC2 stops or terminates the instance, as it was told at launch. */
  private async guestWentOff(id: string, machine: Machine): Promise<void> {
    await clearMachine(machine);
    const { InstanceInitiatedShutdownBehavior: behavior } = await motoEc2.send(
      new DescribeInstanceAttributeCommand({
        InstanceId: id,
        Attribute: "instanceInitiatedShutdownBehavior",
      }),
    );
    const Command = behavior?.Value === "terminate" ? TerminateInstancesCommand : StopInstancesCommand;
    await this.change(motoEc2.send(new Command({ InstanceIds: [id] })));
  }

  /** A call of the lab's own, which may have changed something also when it failed. */
  private async change(call: Promise<unknown>): Promise<void> {
    await call.finally(() => this.changes.made());
  }

  private async describe(instance: Instance): Promise<Machine | undefined> {
    const id = instance.InstanceId ?? "";
    const zone = zones.find((candidate) => candidate.name === instance.Placement?.AvailabilityZone);
    const macAddress = instance.NetworkInterfaces?.[0]?.MacAddress;
    if (zone === undefined || macAddress === undefined) return undefined;
    if (instance.State?.Name === "terminated" && !existsSync(layout.instance(this.lab, id))) return undefined;
    return {
      lab: this.lab,
      instanceId: id,
      root: { lab: this.lab, instanceId: id, gibibytes: await rootSize(instance) },
      port: { instanceId: id, macAddress, zone },
      limits: limitsOf(instance.InstanceType ?? ""),
    };
  }
}

function foldersOf(lab: LabPlace): string[] {
  const folder = layout.instances(lab);
  return existsSync(folder) ? readdirSync(folder) : [];
}

async function rootSize(instance: Instance): Promise<number> {
  const root = instance.BlockDeviceMappings?.find((mapping) => rootDeviceNames.includes(mapping.DeviceName));
  const volumeId = root?.Ebs?.VolumeId;
  if (volumeId === undefined) return debianRootGibibytes;
  const { Volumes } = await motoEc2.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
  return Volumes?.[0]?.Size ?? debianRootGibibytes;
}

/** The public half of a key pair, imported or made by EC2. */
export async function publicKeyOf(keyName: string): Promise<string | undefined> {
  const { KeyPairs } = await motoEc2.send(
    new DescribeKeyPairsCommand({ KeyNames: [keyName], IncludePublicKey: true }),
  );
  return KeyPairs?.[0]?.PublicKey;
}
