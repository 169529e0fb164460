/** The properties of a failed `fetch` in Bun, which runs the compiled bootstrap. */
type FetchError = Error & { readonly code?: unknown; readonly path?: unknown };

const refusedCodes: readonly unknown[] = ["ECONNREFUSED", "ConnectionRefused"];

const notConnected =
  /(?:[A-Z]+: )?(?:Unable to connect\. Is the computer able to access the url\?|Was there a typo in the url or port\?)/g;
const closed = /(?:[A-Z]+: )?The socket connection was closed unexpectedly\./g;
const advice = / ?For more information, pass `verbose: true` in the second argument to fetch\(\)/g;

/** The message of an error. Bun's advice to the author of a program is replaced by the problem and the host. */
export function networkMessage(error: Error): string {
  const { message, code, path } = error as FetchError;
  const host = hostOf(path);
  const refused = refusedCodes.includes(code) || message.startsWith("ECONNREFUSED");
  return message
    .replaceAll(advice, "")
    .replaceAll(notConnected, () => connectionProblem(refused, host))
    .replaceAll(closed, () => `the connection to ${host ?? "the server"} was closed`);
}

function connectionProblem(refused: boolean, host: string | undefined): string {
  if (!refused) return `cannot connect to ${host ?? "the server"}`;
  return host === undefined ? "connection refused" : `connection refused: ${host}`;
}

/** Host and port of a URL. The rest of a URL can contain a secret. */
function hostOf(url: unknown): string | undefined {
  return typeof url === "string" && URL.canParse(url) ? new URL(url).host : undefined;
}
