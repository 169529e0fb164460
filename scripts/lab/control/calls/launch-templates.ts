import { DescribeLaunchTemplateVersionsCommand } from "@aws-sdk/client-ec2";
import type { Scope } from "../../addresses.ts";
import type { TemplateData } from "../../front/launch-template.ts";
import { motoEc2In } from "../moto.ts";

/** The data of the launch template that a RunInstances call names. */
export async function launchTemplateOf(
  form: URLSearchParams,
  scope: Scope,
): Promise<TemplateData | undefined> {
  const reference = new URLSearchParams();
  for (const name of ["LaunchTemplateId", "LaunchTemplateName"]) {
    const value = form.get(`LaunchTemplate.${name}`);
    if (value !== null) reference.set(name, value);
  }
  if (reference.size === 0) return undefined;
  return await templateData(reference, form.get("LaunchTemplate.Version") ?? "$Default", scope);
}

/** The data of a version of the launch template that a form names. */
export async function templateData(
  form: URLSearchParams,
  version: string,
  scope: Scope,
): Promise<TemplateData | undefined> {
  const id = form.get("LaunchTemplateId");
  const { LaunchTemplateVersions } = await motoEc2In(scope).send(
    new DescribeLaunchTemplateVersionsCommand({
      ...(id !== null
        ? { LaunchTemplateId: id }
        : { LaunchTemplateName: form.get("LaunchTemplateName") ?? "" }),
      Versions: [version],
    }),
  );
  return LaunchTemplateVersions?.[0]?.LaunchTemplateData as TemplateData | undefined;
}
