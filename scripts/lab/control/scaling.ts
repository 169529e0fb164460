import {
  DescribeLaunchTemplateVersionsCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { join } from "node:path";
import { z } from "zod";
import { groupTag } from "../../../bootstrap/contract/tags.ts";
import { readFileIfExists, writeFileAtomically } from "../../machine/files.ts";
import { inSubnet } from "../../target/in-subnet.ts";
import { apiPort, services } from "../addresses.ts";
import { layout } from "../paths.ts";
import { Group, isTerminating, type Member } from "../scaling/group.ts";
import { newMember, planStep, type ObservedState } from "../scaling/plan.ts";
import { motoSettings } from "./moto.ts";
import type { Instances } from "./instances.ts";
import { serialQueue } from "./one-at-a-time.ts";

/** AWS sets this tag, and the name of the group, on the instances of a group. */
const versionTag = "aws:ec2launchtemplate:version";

/**
 * The Auto Scaling groups of the lab, stored in a file. moto's Auto Scaling has no lifecycle hooks, and does not use all
 * parameters of a launch template. The groups launch their instances with calls of the lab's API.
 */
export class Groups {
  private readonly instances: Instances;
  private readonly file: string;
  private readonly ec2 = new EC2Client({
    ...motoSettings,
    endpoint: `http://${services.api}:${apiPort}`,
  });
  private readonly enqueue = serialQueue();

  constructor(instances: Instances) {
    this.instances = instances;
    this.file = join(layout.run(instances.lab), "auto-scaling.json");
  }

  all(): Group[] {
    const text = readFileIfExists(this.file);
    return text === undefined ? [] : z.array(Group).parse(JSON.parse(text));
  }

  /** The group of an instance, and the instance as a member of the group. */
  find(instanceId: string): { readonly group: Group; readonly member: Member } | undefined {
    for (const group of this.all())
      for (const member of group.members) if (member.instanceId === instanceId) return { group, member };
    return undefined;
  }

  /** The target lifecycle state, as the metadata service reports it. */
  targetState(instanceId: string): "InService" | "Terminated" | undefined {
    const membership = this.find(instanceId);
    if (membership === undefined) return undefined;
    return isTerminating(membership.member) ? "Terminated" : "InService";
  }

  /** Changes the groups. The next reconciliation acts on the change. */
  async change(task: (groups: Group[]) => Group[]): Promise<void> {
    await this.enqueue(async () => this.save(task(this.all())));
  }

  /** A launch waits for the controller's own reconciliation, so the controller must not wait for this one. */
  async reconcile(): Promise<void> {
    await this.enqueue(async () => {
      for (const { name } of this.all()) await this.reconcileOne(name);
    });
  }

  private async reconcileOne(name: string): Promise<void> {
    const group = this.all().find((one) => one.name === name);
    if (group === undefined) return;
    const members = [...group.members, ...this.newMembers(group)];
    const planned = planStep({ ...group, members }, (id) => this.stateOf(id), Date.now());
    this.save(this.all().map((one) => (one.name === name ? planned.group : one)));
    if (planned.terminate.length > 0)
      await this.ec2.send(new TerminateInstancesCommand({ InstanceIds: [...planned.terminate] }));
    for (const zone of planned.launch) await this.launch(planned.group, zone);
  }

  /** Instances with the group's tag that are not yet members: a previous reconciliation launched them. */
  private newMembers({ name, members }: Group): Member[] {
    return [...this.instances.managed.values()].flatMap(({ instance }) => {
      const { InstanceId: id = "", Placement, Tags = [] } = instance;
      const tag = (key: string) => Tags.find(({ Key }) => Key === key)?.Value;
      if (tag(groupTag) !== name || members.some(({ instanceId }) => instanceId === id)) return [];
      if (this.stateOf(id) === "ended") return [];
      return [newMember(id, Placement?.AvailabilityZone ?? "", tag(versionTag) ?? "")];
    });
  }

  private stateOf(instanceId: string): ObservedState {
    const state = this.instances.managed.get(instanceId)?.instance.State?.Name;
    if (state === "pending" || state === "running") return state;
    return state === "stopping" || state === "stopped" ? "stopped" : "ended";
  }

  private async launch({ name, template, subnets, tags }: Group, zone: string): Promise<void> {
    const LaunchTemplate = { LaunchTemplateId: template.id, Version: template.version };
    const { LaunchTemplateVersions } = await this.ec2.send(
      new DescribeLaunchTemplateVersionsCommand({
        LaunchTemplateId: template.id,
        Versions: [template.version],
      }),
    );
    await this.ec2.send(
      new RunInstancesCommand({
        LaunchTemplate,
        ...inSubnet(subnets[zone] ?? "", LaunchTemplateVersions?.[0]?.LaunchTemplateData ?? {}),
        MinCount: 1,
        MaxCount: 1,
        TagSpecifications: [
          {
            ResourceType: "instance",
            Tags: [
              ...tags
                .filter(({ atLaunch }) => atLaunch)
                .map(({ key, value }) => ({ Key: key, Value: value })),
              { Key: groupTag, Value: name },
            ],
          },
        ],
      }),
    );
  }

  private save(groups: readonly Group[]): void {
    writeFileAtomically(this.file, JSON.stringify(groups));
  }
}
