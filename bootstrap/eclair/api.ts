import { messageOf } from "../contract/errors.ts";
import { ports } from "../contract/ports.ts";

const baseUrl = `http://127.0.0.1:${ports.eclairApi}`;

/** Eclair's answer, or why there is none: Eclair refused the call, did not answer in time, or does not run. */
export type ApiResult = { readonly answer: unknown } | { readonly problem: string };

/**
 * Calls Eclair's API on this host.
 * @param form an URL-encoded form
 */
export async function callEclair(
  password: string,
  method: string,
  form: string,
  milliseconds: number,
): Promise<ApiResult> {
  try {
    const response = await fetch(`${baseUrl}/${method}`, {
      method: "POST",
      headers: {
        authorization: `Basic ${Buffer.from(`:${password}`).toString("base64")}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: form,
      signal: AbortSignal.timeout(milliseconds),
    });
    return response.ok ? { answer: await response.json() } : { problem: await response.text() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
