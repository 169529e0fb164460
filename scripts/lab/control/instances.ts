import {
  DescribeInstanceAttributeCommand,
  DescribeVolumesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type Instance,
} from "@aws-sdk/client-ec2";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { allZones, home, otherZones, type Scope } from "../addresses.ts";
import { debianRootGibibytes, rootDeviceNames } from "../debian/ami.ts";
import type { InstanceState } from "../front/ec2-documents.ts";
import { limitsOf } from "../guest/instance-types.ts";
import { clearMachine, startMachine, stopMachine } from "../guest/machine-lifecycle.ts";
import { machineEnd, machineProcess, type Machine } from "../guest/machine.ts";
import { imageLayers } from "../guest/root-volume.ts";
import { layout, type LabPaths } from "../paths.ts";
import type { MotoCache } from "./moto-cache.ts";
import { motoEc2In, readInstances } from "./moto.ts";

/** An instance as moto describes it, its account and region, and its machine. */
export type Managed = { readonly instance: Instance; readonly scope: Scope; readonly machine: Machine };

/** moto never removes a terminated instance, and its answers become slower with the number of instances. */
const notTerminated = {
  Filters: [
    { Name: "instance-state-name", Values: ["pending", "running", "shutting-down", "stopping", "stopped"] },
  ],
};

/** Starts and stops machines so that they match the instances in moto. Each instance has at most one task at a time. */
export class Instances {
  readonly lab: LabPaths;
  readonly managed = new Map<string, Managed>();
  /** The last exclusive task of each instance. Exclusive tasks of an instance wait for each other. */
  private readonly exclusiveTasks = new Map<string, Promise<unknown>>();
  private readonly tasks = new Map<string, Promise<void>>();
  private readonly cache: MotoCache;
  private readonly read: () => Promise<Omit<Managed, "machine">[]>;
  /** The accounts and regions that can have instances. A controller that has just started does not know them. */
  private scopes: readonly Scope[] = [home, ...otherZones];
  private areScopesKnown = false;

  constructor(lab: LabPaths, cache: MotoCache) {
    this.lab = lab;
    this.cache = cache;
    this.read = cache.cached(async () => await this.readAll());
  }

  /** Reads moto's instances and starts a task for each of them. The tasks continue in the background. */
  async reconcile(): Promise<void> {
    for (const { instance, scope } of await this.read()) {
      const id = instance.InstanceId ?? "";
      const machine = this.managed.get(id)?.machine ?? (await this.describeMachine(instance, scope));
      if (machine === undefined) continue;
      this.managed.set(id, { instance: this.withKeptFacts(id, instance), scope, machine });
      if (!this.tasks.has(id) && !this.exclusiveTasks.has(id)) this.startTask(id, () => this.apply(id));
    }
  }

  /** A call was made that can start an instance in this region of this account. */
  follow({ accountId, region }: Scope): void {
    if (!this.scopes.some((scope) => scope.accountId === accountId && scope.region === region))
      this.scopes = [...this.scopes, { accountId, region }];
  }

  /** The instances that are not terminated, and the terminated ones that the lab still has to remove. */
  private async readAll(): Promise<Omit<Managed, "machine">[]> {
    const ended = new Set([...this.managed.keys(), ...instanceFolders(this.lab)]);
    const found: Omit<Managed, "machine">[] = [];
    const unused = new Set<Scope>();
    for (const scope of this.scopes) {
      const running = await readInstances(scope, notTerminated);
      for (const { InstanceId } of running) ended.delete(InstanceId ?? "");
      // By a filter: the instances of another account are no error.
      const Filters = [{ Name: "instance-id", Values: [...ended] }];
      const terminated = ended.size === 0 ? [] : await readInstances(scope, { Filters });
      const all = [...running, ...terminated];
      found.push(...all.map((instance) => ({ instance, scope })));
      if (all.length === 0 && scope !== home) unused.add(scope);
    }
    // A call may have added a scope in the meantime.
    if (!this.areScopesKnown) this.scopes = this.scopes.filter((scope) => !unused.has(scope));
    this.areScopesKnown = true;
    return found;
  }

  /** On EC2, an instance keeps its address and its profile until it is terminated. moto removes them earlier. */
  private withKeptFacts(id: string, instance: Instance): Instance {
    const previous = this.managed.get(id)?.instance;
    const isEnding = instance.State?.Name === "shutting-down" || instance.State?.Name === "terminated";
    return previous !== undefined && isEnding ? { ...previous, State: instance.State } : instance;
  }

  /** Runs a task after the instance's current task. No other task of the instance starts before its end. */
  async exclusively<T>(id: string, task: (machine: Machine) => Promise<T>): Promise<T> {
    const managed = this.managed.get(id);
    if (managed === undefined) throw new Error(`the lab has no instance ${id}`);
    const previous = this.exclusiveTasks.get(id) ?? Promise.resolve();
    const current = (async () => {
      // The caller of the previous task handles its error.
      await previous.catch(() => undefined);
      await this.tasks.get(id);
      return await task(managed.machine);
    })();
    this.exclusiveTasks.set(id, current);
    try {
      return await current;
    } finally {
      if (this.exclusiveTasks.get(id) === current) this.exclusiveTasks.delete(id);
    }
  }

  /** The state of an instance whose guest still runs; undefined when moto's state is right. */
  stateOf(id: string): InstanceState | undefined {
    const managed = this.managed.get(id);
    const desired = managed?.instance.State?.Name;
    if (managed === undefined || desired === undefined) return undefined;
    const isAlive = machineProcess(managed.machine) !== undefined;
    if (desired === "stopped" && isAlive) return "stopping";
    if (desired === "terminated" && isAlive) return "shutting-down";
    return undefined;
  }

  private startTask(id: string, task: () => Promise<void>): void {
    const running = task()
      .catch((error: unknown) => console.error(`instance ${id}: ${messageOf(error)}`))
      .finally(() => this.tasks.delete(id));
    this.tasks.set(id, running);
  }

  private async apply(id: string): Promise<void> {
    const managed = this.managed.get(id) as Managed;
    const { instance, machine } = managed;
    const isAlive = machineProcess(machine) !== undefined;
    const end = machineEnd(machine);
    switch (instance.State?.Name) {
      case "pending":
      case "running":
        if (isAlive || end === "ending") return;
        if (end === "off") return await this.handlePowerOff(id, managed);
        if (end === "reboot") await clearMachine(machine);
        return await this.start(managed);
      case "stopping":
      case "stopped":
        if (isAlive || end !== undefined) await stopMachine(machine);
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

  private async start({ instance, machine, scope }: Managed): Promise<void> {
    const layers = imageLayers(this.lab, instance.ImageId ?? "");
    if (layers === undefined) {
      console.error(`instance ${machine.instanceId}: the lab has no disk of image ${instance.ImageId}`);
      await this.changeMoto(
        motoEc2In(scope).send(new TerminateInstancesCommand({ InstanceIds: [machine.instanceId] })),
      );
      return;
    }
    await startMachine(machine, layers);
  }

  /** EC2 stops or terminates an instance that powers off, as its launch parameters specify. */
  private async handlePowerOff(id: string, { machine, scope }: Managed): Promise<void> {
    await clearMachine(machine);
    const ec2 = motoEc2In(scope);
    const { InstanceInitiatedShutdownBehavior: behavior } = await ec2.send(
      new DescribeInstanceAttributeCommand({
        InstanceId: id,
        Attribute: "instanceInitiatedShutdownBehavior",
      }),
    );
    const Command = behavior?.Value === "terminate" ? TerminateInstancesCommand : StopInstancesCommand;
    await this.changeMoto(ec2.send(new Command({ InstanceIds: [id] })));
  }

  /** A call that failed can have changed moto's state, too. */
  private async changeMoto(call: Promise<unknown>): Promise<void> {
    await call.finally(() => this.cache.invalidate());
  }

  private async describeMachine(instance: Instance, scope: Scope): Promise<Machine | undefined> {
    const id = instance.InstanceId ?? "";
    const zone = zoneOf(instance, scope);
    const macAddress = instance.NetworkInterfaces?.[0]?.MacAddress;
    if (zone === undefined || macAddress === undefined) return undefined;
    if (instance.State?.Name === "terminated" && !existsSync(layout.instance(this.lab, id))) return undefined;
    return {
      lab: this.lab,
      instanceId: id,
      root: { lab: this.lab, instanceId: id, gibibytes: await rootSize(instance, scope) },
      port: { instanceId: id, macAddress, zone },
      limits: limitsOf(instance.InstanceType ?? ""),
    };
  }
}

function instanceFolders(lab: LabPaths): string[] {
  const folder = layout.instances(lab);
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** The zone of an instance, with its network. */
export const zoneOf = (instance: Instance, { accountId }: Scope) =>
  allZones.find((zone) => zone.accountId === accountId && zone.name === instance.Placement?.AvailabilityZone);

async function rootSize(instance: Instance, scope: Scope): Promise<number> {
  const root = instance.BlockDeviceMappings?.find((mapping) => rootDeviceNames.includes(mapping.DeviceName));
  const volumeId = root?.Ebs?.VolumeId;
  if (volumeId === undefined) return debianRootGibibytes;
  const { Volumes } = await motoEc2In(scope).send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
  return Volumes?.[0]?.Size ?? debianRootGibibytes;
}
