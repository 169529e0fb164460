import { messageOf } from "../core/failure.ts";

/** What Eclair answered, or why there is no answer: it refuses, says nothing in time, or is not there. */
export type Answered = { readonly answer: unknown } | { readonly why: string };

/** Eclair's API on the host whose network this runs in, as whoever has its password. */
export class LocalApi {
  private readonly authorization: string;

  constructor(password: string) {
    this.authorization = `Basic ${Buffer.from(`:${password}`).toString("base64")}`;
  }

  async call(name: string, body: string, milliseconds: number): Promise<Answered> {
    try {
      const response = await fetch(`http://127.0.0.1:8080/${name}`, {
        method: "POST",
        headers: {
          authorization: this.authorization,
          "content-type": "application/x-www-form-urlencoded",
        },
        body,
        signal: AbortSignal.timeout(milliseconds),
      });
      return response.ok ? { answer: await response.json() } : { why: await response.text() };
    } catch (error) {
      return { why: messageOf(error) };
    }
  }
}
