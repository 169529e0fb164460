/** Eclair's API on the host whose network this runs in, as whoever has its password. */
export class LocalApi {
  private readonly authorization: string;

  constructor(password: string) {
    this.authorization = `Basic ${Buffer.from(`:${password}`).toString("base64")}`;
  }

  /** What it answers; undefined when it refuses, says nothing in time, or is not there. */
  async call(name: string, body: string, milliseconds: number): Promise<unknown> {
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
      return response.ok ? await response.json() : undefined;
    } catch {
      return undefined;
    }
  }
}
