import { EC2Client, GetConsoleOutputCommand } from "@aws-sdk/client-ec2";
import { LogLine } from "../../bootstrap/contract/log.ts";
import type { Target } from "../target/target.ts";

/** The console output of an instance. EC2 returns the output of a new instance only after some time. */
export async function consoleOutput(target: Target, instanceId: string): Promise<string> {
  try {
    return await readOutput(target, instanceId, true);
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "InvalidInstanceID.NotFound") return "";
    // Only Nitro instances support `Latest`; older types return the output of their last change of state.
    if (name === "UnsupportedOperation") return await readOutput(target, instanceId, false);
    throw error;
  }
}

async function readOutput(target: Target, instanceId: string, latest: boolean): Promise<string> {
  const command = new GetConsoleOutputCommand({ InstanceId: instanceId, Latest: latest });
  return Buffer.from((await target.client(EC2Client).send(command)).Output ?? "", "base64").toString("utf8");
}

/** The log lines of the bootstrap in a console output, in order. */
export function bootstrapEvents(text: string): LogLine[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const start = line.indexOf('{"level":"');
    if (start === -1) return [];
    try {
      const parsed = LogLine.safeParse(JSON.parse(line.slice(start)));
      return parsed.success ? [parsed.data] : [];
    } catch {
      // The console may end within a line.
      return [];
    }
  });
}
