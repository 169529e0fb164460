import {
  AutoScalingClient,
  paginateDescribeAutoScalingGroups,
  paginateDescribeLaunchConfigurations,
  type AutoScalingGroup,
  type LaunchConfiguration,
} from "@aws-sdk/client-auto-scaling";
import {
  CreateImageUsageReportCommand,
  DescribeImagesCommand,
  EC2Client,
  paginateDescribeImageUsageReportEntries,
  paginateDescribeImageUsageReports,
  paginateDescribeInstances,
  paginateDescribeLaunchTemplates,
  paginateDescribeLaunchTemplateVersions,
  type Image,
  type ImageUsageReport,
  type ImageUsageReportEntry,
  type Instance,
  type LaunchTemplateVersion,
} from "@aws-sdk/client-ec2";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../bootstrap/contract/errors.ts";
import { allItems } from "../../target/pages.ts";
import type { Target } from "../../target/target.ts";

const reportTimeoutMilliseconds = { lab: 10_000, aws: 180_000 } as const;
const pollIntervalMilliseconds = { lab: 100, aws: 5_000 } as const;
const millisecondsPerDay = 24 * 60 * 60 * 1000;

/** The images that the publisher's own account uses in a region, and what uses each. */
export async function accountUses(target: Target, region: string): Promise<ReadonlyMap<string, string[]>> {
  const client = target.client(EC2Client, { region });
  const scaling = target.client(AutoScalingClient, { region });
  const templates = await allItems(
    paginateDescribeLaunchTemplates({ client }, {}),
    ({ LaunchTemplates }) => LaunchTemplates,
  );
  const versions: LaunchTemplateVersion[] = [];
  for (const { LaunchTemplateId } of templates)
    versions.push(
      ...(await allItems(
        paginateDescribeLaunchTemplateVersions({ client }, { LaunchTemplateId }),
        ({ LaunchTemplateVersions }) => LaunchTemplateVersions,
      )),
    );
  const reservations = await allItems(
    paginateDescribeInstances({ client }, {}),
    ({ Reservations }) => Reservations,
  );
  return collectUses({
    versions,
    instances: reservations.flatMap(({ Instances = [] }) => Instances),
    groups: await allItems(
      paginateDescribeAutoScalingGroups({ client: scaling }, {}),
      ({ AutoScalingGroups }) => AutoScalingGroups,
    ),
    configurations: await allItems(
      paginateDescribeLaunchConfigurations({ client: scaling }, {}),
      ({ LaunchConfigurations }) => LaunchConfigurations,
    ),
  });
}

export type AccountResources = {
  readonly versions: readonly LaunchTemplateVersion[];
  readonly instances: readonly Instance[];
  readonly groups: readonly AutoScalingGroup[];
  readonly configurations: readonly LaunchConfiguration[];
};

/**
 * The uses of images in answers of AWS. Every version of every launch template counts: a group can return to it. A template
 * can name a parameter in place of an image, as `resolve:ssm:NAME`.
 */
export function collectUses(resources: AccountResources): Map<string, string[]> {
  const { versions, instances, groups, configurations } = resources;
  const uses = new Map<string, string[]>();
  const add = (imageId: string | undefined, use: string) => {
    if (imageId !== undefined) uses.set(imageId, [...(uses.get(imageId) ?? []), use]);
  };
  for (const group of groups)
    for (const { ImageId } of group.MixedInstancesPolicy?.LaunchTemplate?.Overrides ?? [])
      add(ImageId, `an override of the group ${group.AutoScalingGroupName}`);
  for (const { LaunchTemplateId, LaunchTemplateName, VersionNumber, LaunchTemplateData } of versions) {
    const inGroups = groups.filter(({ LaunchTemplate, MixedInstancesPolicy }) => {
      const { LaunchTemplate: mixed } = MixedInstancesPolicy ?? {};
      const used = [
        LaunchTemplate,
        mixed?.LaunchTemplateSpecification,
        ...(mixed?.Overrides ?? []).map((override) => override.LaunchTemplateSpecification),
      ];
      return used.some((one) => one?.LaunchTemplateId === LaunchTemplateId && one !== undefined);
    });
    const names = inGroups.map(({ AutoScalingGroupName }) => AutoScalingGroupName).join(", ");
    add(
      LaunchTemplateData?.ImageId,
      `version ${VersionNumber} of the launch template ${LaunchTemplateName ?? LaunchTemplateId}${names === "" ? "" : `, which the group ${names} uses`}`,
    );
  }
  for (const { InstanceId, ImageId, State } of instances)
    if (State?.Name !== "terminated") add(ImageId, `the instance ${InstanceId} (${State?.Name})`);
  for (const { LaunchConfigurationName, ImageId } of configurations)
    add(ImageId, `the launch configuration ${LaunchConfigurationName}`);
  return uses;
}

/**
 * The uses of an image in other accounts, as EC2 reports them: also in those that may not launch it any more. No report counts
 * as a use.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/your-ec2-ami-usage.html
 * @param since the report must be newer, in milliseconds since 1970
 */
export async function otherAccountUses(
  target: Target,
  region: string,
  imageId: string,
  since: number,
): Promise<string[]> {
  const client = target.client(EC2Client, { region });
  try {
    const reportId = await availableReport(target, region, imageId, since);
    if (reportId === undefined)
      return ["EC2 has not reported yet which other accounts use it: run the command again"];
    return reportedUses(
      await allItems(
        paginateDescribeImageUsageReportEntries({ client }, { ReportIds: [reportId] }),
        ({ ImageUsageReportEntries }) => ImageUsageReportEntries,
      ),
    );
  } catch (error) {
    return [`EC2 does not report which other accounts use it: ${messageOf(error)}`];
  }
}

export const reportedUses = (entries: readonly ImageUsageReportEntry[]): string[] =>
  entries
    .filter(({ UsageCount }) => UsageCount !== 0)
    .map(
      ({ AccountId, ResourceType, UsageCount }) =>
        `${UsageCount ?? "an unknown number of"} × ${ResourceType} in the account ${AccountId}`,
    );

/** @returns the id of a report that is newer than `since`; undefined when EC2 has not completed it in time */
async function availableReport(
  target: Target,
  region: string,
  imageId: string,
  since: number,
): Promise<string | undefined> {
  const client = target.client(EC2Client, { region });
  // The time of a report has no fractions of a second.
  const earliest = Math.floor(since / 1000) * 1000;
  const read = async (): Promise<ImageUsageReport[]> => {
    const reports = await allItems(
      paginateDescribeImageUsageReports({ client }, { ImageIds: [imageId] }),
      ({ ImageUsageReports }) => ImageUsageReports,
    );
    return reports.filter(
      ({ State, CreationTime }) => State !== "error" && (CreationTime?.getTime() ?? 0) >= earliest,
    );
  };
  if ((await read()).length === 0)
    await client.send(
      new CreateImageUsageReportCommand({
        ImageId: imageId,
        ResourceTypes: [
          { ResourceType: "ec2:Instance" },
          {
            ResourceType: "ec2:LaunchTemplate",
            // By default, EC2 looks at twenty versions of each launch template.
            ResourceTypeOptions: [{ OptionName: "version-depth", OptionValues: ["10000"] }],
          },
        ],
      }),
    );
  const deadline = performance.now() + reportTimeoutMilliseconds[target.name];
  for (;;) {
    const available = (await read()).find(({ State }) => State === "available");
    if (available !== undefined) return available.ReportId;
    if (performance.now() > deadline) return undefined;
    await sleep(pollIntervalMilliseconds[target.name]);
  }
}

/** The images that exist, by id, in a region. */
export async function existingImages(
  target: Target,
  region: string,
  imageIds: readonly string[],
): Promise<ReadonlyMap<string, Image>> {
  const { Images = [] } = await target.client(EC2Client, { region }).send(
    new DescribeImagesCommand({
      Owners: ["self"],
      IncludeDeprecated: true,
      IncludeDisabled: true,
      Filters: [{ Name: "image-id", Values: [...imageIds] }],
    }),
  );
  return new Map(Images.map((image) => [image.ImageId ?? "", image]));
}

/** Whether an instance was launched from the image recently. EC2 reports a launch after a day. */
export function launchedRecently(image: Image, days: number, now: number): string | undefined {
  const { LastLaunchedTime } = image;
  if (LastLaunchedTime === undefined) return undefined;
  const age = now - Date.parse(LastLaunchedTime);
  return age < days * millisecondsPerDay
    ? `an instance was launched from it on ${LastLaunchedTime.slice(0, 10)}`
    : undefined;
}
