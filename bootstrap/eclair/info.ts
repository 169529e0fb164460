import { z } from "zod";
import type { EclairInfo } from "../contract/reports/instance.ts";
import { callEclair } from "./api.ts";

const getinfoMilliseconds = 3_000;
const GetInfo = z.object({ instanceId: z.string(), nodeId: z.string(), blockHeight: z.int() });

const Descriptors = z.array(z.object({ desc: z.string(), internal: z.boolean() }));

/**
 * The descriptors of the wallet for which Eclair signs, without their checksums.
 * @returns undefined while the API does not answer
 */
export async function readDescriptors(
  password: string,
): Promise<{ text: string; internal: boolean }[] | undefined> {
  const result = await callEclair(password, "getdescriptors", "account=0", getinfoMilliseconds);
  const found = "answer" in result ? Descriptors.safeParse(result.answer).data : undefined;
  return found?.map(({ desc, internal }) => ({ text: desc.replace(/#.*$/, ""), internal }));
}

/** @returns undefined while the API does not answer */
export async function readEclairInfo(password: string): Promise<EclairInfo | undefined> {
  const result = await callEclair(password, "getinfo", "", getinfoMilliseconds);
  const info = "answer" in result ? GetInfo.safeParse(result.answer).data : undefined;
  if (info === undefined) return undefined;
  const { instanceId, nodeId, blockHeight } = info;
  return { eclairInstanceId: instanceId, nodeId, blockHeight };
}
