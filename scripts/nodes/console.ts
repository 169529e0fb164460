import { GetConsoleOutputCommand } from "@aws-sdk/client-ec2";
import type { Target } from "../target/target.ts";

/** What an instance's console shows by now: EC2 knows a new instance, and its output, only after a while. */
export async function consoleOf(target: Target, instanceId: string): Promise<string> {
  try {
    return await output(target, instanceId, true);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "InvalidInstanceID.NotFound") return "";
    // The latest output is Nitro's; older instance types give what they had at the last change of state.
    if (name === "UnsupportedOperation") return await output(target, instanceId, false);
    throw error;
  }
}

async function output(target: Target, instanceId: string, latest: boolean): Promise<string> {
  const command = new GetConsoleOutputCommand({ InstanceId: instanceId, Latest: latest });
  return Buffer.from((await target.ec2.send(command)).Output ?? "", "base64").toString("utf8");
}

/** The structured lines that the bootstrap wrote to the console, in order. */
export function stepsIn(text: string): { readonly name: string; readonly facts: Record<string, unknown> }[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const at = line.indexOf('{"eclairAmi":');
    if (at === -1) return [];
    try {
      const { eclairAmi, ...facts } = JSON.parse(line.slice(at)) as { eclairAmi: string };
      return [{ name: eclairAmi, facts }];
    } catch {
      // The end of a line may not have been published yet.
      return [];
    }
  });
}
