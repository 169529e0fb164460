import { tags } from "../../../bootstrap/contract/tags.ts";
import type { Target } from "../../target/target.ts";
import type { Manifest } from "../manifest.ts";
import packageJson from "../../../package.json" with { type: "json" };
import type { Inputs } from "./inputs.ts";

/** The tags of an image from its creation. An image is not for release before the image test passed. */
export function initialImageTags(target: Target, bakeId: string, inputs: Inputs): Record<string, string> {
  return {
    [tags.bakeId]: bakeId,
    [tags.version]: packageJson.version,
    [tags.eclairVersion]: inputs.eclair.version,
    [tags.eclairSha256]: inputs.eclair.sha256,
    [tags.bitcoindVersion]: inputs.bitcoind.version,
    [tags.bitcoindSha256]: inputs.bitcoind.sha256,
    [tags.target]: target.name,
    [tags.release]: "false",
    [tags.releaseReason]: "the image is not tested yet",
  };
}

/** The maximum length of a tag value in EC2. */
const maximumTagLength = 255;

/** The tags of an image that passed the image test. */
export function testedImageTags(manifest: Manifest): Record<string, string> {
  return {
    [tags.imageTest]: "passed",
    [tags.release]: String(manifest.release),
    [tags.releaseReason]: manifest.releaseReason.slice(0, maximumTagLength),
  };
}

/** Tags in the form of an EC2 request. */
export function ec2Tags(values: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(values).map(([Key, Value]) => ({ Key, Value }));
}
