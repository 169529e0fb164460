/** The data of a launch template version, in the format of the SDK. */
export type TemplateData = Readonly<Record<string, unknown>>;

/** The names in a RunInstances form that differ from the names in the template's data. */
const formNames: Readonly<Record<string, string>> = {
  BlockDeviceMappings: "BlockDeviceMapping",
  NetworkInterfaces: "NetworkInterface",
  SecurityGroupIds: "SecurityGroupId",
  SecurityGroups: "SecurityGroup",
  TagSpecifications: "TagSpecification",
  Tags: "Tag",
};

/** Adds the parameters of its launch template to a RunInstances form. EC2 uses all of them, and moto only a part. */
export function withTemplate(form: URLSearchParams, data: TemplateData): URLSearchParams {
  const merged = new URLSearchParams(form);
  const names = [...form.keys()].map((name) => name.split(".")[0]);
  for (const [name, value] of Object.entries(data)) {
    const inForm = formNames[name] ?? name;
    // moto itself merges the tags.
    if (names.includes(inForm) || name === "TagSpecifications") continue;
    for (const [path, text] of flatten(inForm, value)) merged.set(path, text);
  }
  return merged;
}

/**
 * Adds the size of the root volume to a RunInstances form whose block device mapping names none: that of the image.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html
 * @param gibibytes the size of the image's root volume
 */
export function withRootSize(
  form: URLSearchParams,
  rootDevices: readonly (string | undefined)[],
  gibibytes: number,
): URLSearchParams {
  const sized = new URLSearchParams(form);
  for (const [name, value] of form) {
    const prefix = /^(BlockDeviceMapping\.\d+)\.DeviceName$/.exec(name)?.[1];
    if (prefix === undefined || !rootDevices.includes(value) || form.has(`${prefix}.Ebs.VolumeSize`))
      continue;
    sized.set(`${prefix}.Ebs.VolumeSize`, String(gibibytes));
  }
  return sized;
}

/** Adds the parameters of the source version to a CreateLaunchTemplateVersion form. */
export function withSource(form: URLSearchParams, data: TemplateData): URLSearchParams {
  const merged = new URLSearchParams(form);
  const prefix = "LaunchTemplateData";
  const own = new Set([...form.keys()].map((name) => name.split(".").slice(0, 2).join(".")));
  for (const [name, value] of Object.entries(data)) {
    const inForm = `${prefix}.${formNames[name] ?? name}`;
    if (own.has(inForm)) continue;
    for (const [path, text] of flatten(inForm, value)) merged.set(path, text);
  }
  merged.delete("SourceVersion");
  return merged;
}

function flatten(path: string, value: unknown): [path: string, text: string][] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => flatten(`${path}.${index + 1}`, item));
  if (typeof value === "object")
    return Object.entries(value).flatMap(([name, inner]) =>
      flatten(`${path}.${formNames[name] ?? name}`, inner),
    );
  return [[path, typeof value === "string" ? value : JSON.stringify(value)]];
}
