import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Target } from "./target.ts";

/** The ARN of the caller, for the cluster's history. The lab has one administrator. */
export async function callerOf(target: Target): Promise<string> {
  if (target.name === "lab") return "lab";
  const { Arn = "" } = await target.client(STSClient).send(new GetCallerIdentityCommand({}));
  return Arn;
}
