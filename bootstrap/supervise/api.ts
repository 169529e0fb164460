import { z } from "zod";
import type { Eclair } from "./observation.ts";

const apiUrl = "http://127.0.0.1:8080/getinfo";
const callMilliseconds = 3_000;

const Info = z.object({ instanceId: z.string(), nodeId: z.string(), blockHeight: z.int() });

/** Asks Eclair who it is; nothing until its API is there. */
export async function askEclair(password: string): Promise<Eclair["info"]> {
  try {
    const response = await fetch(apiUrl, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`:${password}`).toString("base64")}` },
      signal: AbortSignal.timeout(callMilliseconds),
    });
    return response.ok ? Info.parse(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}
