/** What a launch template version holds, as the SDK gives it. */
export type TemplateData = Readonly<Record<string, unknown>>;

/** EC2's names in a RunInstances form where they differ from those of the template's data. */
const formNames: Readonly<Record<string, string>> = {
  BlockDeviceMappings: "BlockDeviceMapping",
  NetworkInterfaces: "NetworkInterface",
  SecurityGroupIds: "SecurityGroupId",
  SecurityGroups: "SecurityGroup",
  TagSpecifications: "TagSpecification",
  Tags: "Tag",
};

/**
 * A RunInstances form with what its launch template says and the call itself leaves open, as EC2 does it;
 * moto takes over only a part.
 */
export function withTemplate(form: URLSearchParams, data: TemplateData): URLSearchParams {
  const merged = new URLSearchParams(form);
  const names = [...form.keys()].map((name) => name.split(".")[0]);
  for (const [name, value] of Object.entries(data)) {
    const inForm = formNames[name] ?? name;
    // Tags of both are kept by moto itself.
    if (names.includes(inForm) || name === "TagSpecifications") continue;
    for (const [path, text] of flatten(inForm, value)) merged.set(path, text);
  }
  return merged;
}

/** A CreateLaunchTemplateVersion form with what the version it starts from says beside it. */
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
