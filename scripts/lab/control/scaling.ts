import {
  DescribeLaunchTemplateVersionsCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { join } from "node:path";
import { z } from "zod";
import { inTurn } from "../../core/in-turn.ts";
import { readIfThere, writeWhole } from "../../core/files.ts";
import { inSubnet } from "../../nodes/launch.ts";
import { apiPort, services } from "../addresses.ts";
import { layout } from "../place.ts";
import { Group, isLeaving, type Member } from "../scaling/group.ts";
import { launched, plan, type Seen } from "../scaling/plan.ts";
import { motoSettings } from "./aws.ts";
import type { Instances } from "./instances.ts";

/** AWS' name of the tag that an instance of a group has. */
const groupTag = "aws:autoscaling:groupName";
const versionTag = "aws:ec2launchtemplate:version";

/**
 * The lab's Auto Scaling. moto's own launches past the layer that reads launch templates whole, and has no lifecycle;
 * so groups are kept here, in a file, and their instances are launched by the lab's EC2 as anybody's are.
 */
export class Groups {
  private readonly instances: Instances;
  private readonly file: string;
  private readonly ec2 = new EC2Client({
    ...motoSettings,
    endpoint: `http://${services.api}:${apiPort}`,
  });
  private readonly oneAtATime = inTurn();

  constructor(instances: Instances) {
    this.instances = instances;
    this.file = join(layout.run(instances.lab), "auto-scaling.json");
  }

  all(): Group[] {
    const text = readIfThere(this.file);
    return text === undefined ? [] : z.array(Group).parse(JSON.parse(text));
  }

  /** The group that an instance is in, and what it is there. */
  find(instanceId: string): { readonly group: Group; readonly member: Member } | undefined {
    for (const group of this.all())
      for (const member of group.members) if (member.instanceId === instanceId) return { group, member };
    return undefined;
  }

  /** What the metadata service calls the target lifecycle state. */
  targetState(instanceId: string): "InService" | "Terminated" | undefined {
    const found = this.find(instanceId);
    if (found === undefined) return undefined;
    return isLeaving(found.member) ? "Terminated" : "InService";
  }

  /** Changes groups; what follows from it is done by the next step. */
  async change(task: (groups: Group[]) => Group[]): Promise<void> {
    await this.oneAtATime(async () => this.save(task(this.all())));
  }

  /** Takes each group a step further. Launching waits for the controller's own pass, so that none may wait for this. */
  async reconcile(): Promise<void> {
    await this.oneAtATime(async () => {
      for (const { name } of this.all()) await this.reconcileOne(name);
    });
  }

  private async reconcileOne(name: string): Promise<void> {
    const group = this.all().find((one) => one.name === name);
    if (group === undefined) return;
    const members = [...group.members, ...this.strays(group)];
    const planned = plan({ ...group, members }, (id) => this.seen(id), Date.now());
    this.save(this.all().map((one) => (one.name === name ? planned.group : one)));
    if (planned.terminate.length > 0)
      await this.ec2.send(new TerminateInstancesCommand({ InstanceIds: [...planned.terminate] }));
    for (const zone of planned.launch) await this.launch(planned.group, zone);
  }

  /** Instances of a group that it does not know yet: those it has just launched. */
  private strays({ name, members }: Group): Member[] {
    return [...this.instances.managed.values()].flatMap(({ instance }) => {
      const { InstanceId: id = "", Placement, Tags = [] } = instance;
      const tag = (key: string) => Tags.find(({ Key }) => Key === key)?.Value;
      if (tag(groupTag) !== name || members.some(({ instanceId }) => instanceId === id)) return [];
      if (this.seen(id) === "ended") return [];
      return [launched(id, Placement?.AvailabilityZone ?? "", tag(versionTag) ?? "")];
    });
  }

  private seen(instanceId: string): Seen {
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
    writeWhole(this.file, JSON.stringify(groups));
  }
}
