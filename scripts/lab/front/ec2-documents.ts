// Changes to the forms and the responses of EC2 calls.

const stateCodes = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const;

export type InstanceState = keyof typeof stateCodes;

/** Replaces the instance states in a response of DescribeInstances. */
export function withStates(xml: string, stateOf: (instanceId: string) => InstanceState | undefined): string {
  return xml.replaceAll(
    /<instanceId>(i-[0-9a-f]+)<\/instanceId>((?:(?!<instanceId>)[\s\S])*?<instanceState>)[\s\S]*?(<\/instanceState>)/g,
    (match, instanceId: string, before: string, after: string) => {
      const state = stateOf(instanceId);
      if (state === undefined) return match;
      return `<instanceId>${instanceId}</instanceId>${before}<code>${stateCodes[state]}</code><name>${state}</name>${after}`;
    },
  );
}

/** Replaces the root devices in a response of DescribeImages: moto returns the same device for every image. */
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

/** Marks the volumes in a response of DescribeVolumes as in use that an instance still uses. */
export function withUsers(xml: string, userOf: (volumeId: string) => string | undefined): string {
  return xml.replaceAll(
    /<volumeId>(vol-[0-9a-f]+)<\/volumeId>(?:(?!<volumeId>)[\s\S])*/g,
    (item, volumeId: string) => {
      const instanceId = userOf(volumeId);
      if (instanceId === undefined || !item.includes("<status>available<")) return item;
      const attachment = `<attachmentSet><item><volumeId>${volumeId}</volumeId><instanceId>${instanceId}</instanceId><status>detaching</status></item></attachmentSet>`;
      return item
        .replace("<status>available<", "<status>in-use<")
        .replace(/<attachmentSet\s*\/>|<attachmentSet>[\s\S]*?<\/attachmentSet>/, attachment);
    },
  );
}
