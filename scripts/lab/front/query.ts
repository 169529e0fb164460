/** One call in AWS' query protocol, as EC2 speaks it: a form with an Action. */
export type QueryCall = { readonly action: string; readonly form: URLSearchParams };

/** Whether a call only asks. */
export const isRead = ({ action }: QueryCall) => /^(Describe|Get|List)/.test(action);

export function parseQuery(contentType: string | undefined, body: Buffer): QueryCall | undefined {
  if (!contentType?.startsWith("application/x-www-form-urlencoded")) return undefined;
  const form = new URLSearchParams(body.toString("utf8"));
  const action = form.get("Action");
  return action === null ? undefined : { action, form };
}

/** `InstanceId.1`, `InstanceId.2`, … in order. */
export function listOf(form: URLSearchParams, name: string): string[] {
  const values: string[] = [];
  for (let index = 1; ; index += 1) {
    const value = form.get(`${name}.${index}`);
    if (value === null) return values;
    values.push(value);
  }
}

/** The text of the first element of that name. */
export function elementText(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

export type Answer = { readonly status: number; readonly body: string };

/** EC2's shape of a successful answer. */
export function ec2Answer(action: string, inner: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>lab</requestId>${inner}</${action}Response>`;
  return { status: 200, body };
}

export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function ec2Error(code: string, message: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error></Errors><RequestID>lab</RequestID></Response>`;
  return { status: 400, body };
}

/**
 * The shape of a successful answer in the plain query protocol, as ELB and Auto Scaling speak it.
 * @param service the namespace, as in `elasticloadbalancing.amazonaws.com/doc/2015-12-01`
 */
export function queryAnswer(action: string, service: string, inner: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<${action}Response xmlns="http://${service}/"><${action}Result>${inner}</${action}Result><ResponseMetadata><RequestId>lab</RequestId></ResponseMetadata></${action}Response>`;
  return { status: 200, body };
}

/** An error in the plain query protocol, as RDS and ELB speak it. */
export function queryError(code: string, message: string): Answer {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>lab</RequestId></ErrorResponse>`;
  return { status: 400, body };
}

const stateCodes = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const;

export type InstanceState = keyof typeof stateCodes;

/** DescribeInstances' answer with what the lab sees in place of what moto believes. */
export function withStates(xml: string, stateOf: (instanceId: string) => InstanceState | undefined): string {
  return xml.replaceAll(
    /<instanceId>(i-[0-9a-f]+)<\/instanceId>((?:(?!<instanceId>)[\s\S])*?<instanceState>)[\s\S]*?(<\/instanceState>)/g,
    (whole, instanceId: string, before: string, after: string) => {
      const state = stateOf(instanceId);
      if (state === undefined) return whole;
      return `<instanceId>${instanceId}</instanceId>${before}<code>${stateCodes[state]}</code><name>${state}</name>${after}`;
    },
  );
}

/** The tags of one resource type in a call's TagSpecifications, and the call's form without them. */
export function splitTags(
  form: URLSearchParams,
  resourceType: string,
): { readonly rest: URLSearchParams; readonly tags: { Key: string; Value: string }[] } {
  const rest = new URLSearchParams(form);
  const tags: { Key: string; Value: string }[] = [];
  for (const [name, value] of form) {
    const prefix = /^(TagSpecification\.\d+)\.ResourceType$/.exec(name)?.[1];
    if (prefix === undefined || value !== resourceType) continue;
    for (const other of form.keys()) if (other.startsWith(`${prefix}.`)) rest.delete(other);
    for (let index = 1; form.has(`${prefix}.Tag.${index}.Key`); index += 1)
      tags.push({
        Key: form.get(`${prefix}.Tag.${index}.Key`) ?? "",
        Value: form.get(`${prefix}.Tag.${index}.Value`) ?? "",
      });
  }
  return { rest, tags };
}

/** DescribeImages' answer with the root device that the lab's images have; moto has one of its own for all. */
export function withRootDevices(xml: string, gibibytesOf: (imageId: string) => number | undefined): string {
  return xml.replaceAll(
    /<imageId>(ami-[0-9a-f]+)<\/imageId>(?:(?!<imageId>)[\s\S])*/g,
    (item, imageId: string) => {
      const gibibytes = gibibytesOf(imageId);
      if (gibibytes === undefined) return item;
      return item
        .replaceAll("/dev/sda1", "/dev/xvda")
        .replace("<rootDeviceType>standard<", "<rootDeviceType>ebs<")
        .replace(/<volumeSize>\d+</, `<volumeSize>${gibibytes}<`);
    },
  );
}

/** DescribeVolumes' answer in which a volume that an instance still has is in use. */
export function withHolders(xml: string, holderOf: (volumeId: string) => string | undefined): string {
  return xml.replaceAll(
    /<volumeId>(vol-[0-9a-f]+)<\/volumeId>(?:(?!<volumeId>)[\s\S])*/g,
    (item, volumeId: string) => {
      const holder = holderOf(volumeId);
      if (holder === undefined || !item.includes("<status>available<")) return item;
      const attachment = `<attachmentSet><item><volumeId>${volumeId}</volumeId><instanceId>${holder}</instanceId><status>detaching</status></item></attachmentSet>`;
      return item
        .replace("<status>available<", "<status>in-use<")
        .replace(/<attachmentSet\s*\/>|<attachmentSet>[\s\S]*?<\/attachmentSet>/, attachment);
    },
  );
}
