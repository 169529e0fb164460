import { bashInGuest } from "../guest/run.ts";
import type { LabPlace } from "../place.ts";

/** Says the API's password as it stands in RAM on an instance. */
export const apiPasswordScript = `sed -n 's/^    password = "\\(.*\\)"$/\\1/p' /run/eclair/eclair.conf | head -n 1`;

/** Reads an answer whose length only its connection's end tells; the password never stands on a command line. */
const script = (call: string, form: string) => `
password=$(${apiPasswordScript})
exec 3<>/dev/tcp/127.0.0.1/8080
body='${form}'
printf 'POST /${call} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\nAuthorization: Basic %s\\r\\nContent-Type: application/x-www-form-urlencoded\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "$(printf ':%s' "$password" | base64 -w 0)" "\${#body}" "$body" >&3
cat <&3`;

/** One call of Eclair's API on the instance itself, with the password that stands in RAM there. */
export async function eclairApi(lab: LabPlace, id: string, call: string, form = ""): Promise<unknown> {
  const { stdout, exitCode, all } = await bashInGuest(lab, id, script(call, form), {
    all: true,
    reject: false,
    stdin: "ignore",
  });
  const [head = "", ...body] = stdout.split(/\r?\n\r?\n/);
  if (exitCode !== 0 || !/ 200 /.test(head.split("\n")[0] ?? "")) throw new Error(`${call}: ${all}`);
  const text = body.join("\n\n").trim();
  return JSON.parse(/transfer-encoding: chunked/i.test(head) ? unchunked(text) : text);
}

function unchunked(text: string): string {
  return text
    .split(/\r?\n/)
    .filter((_line, index) => index % 2 === 1)
    .join("");
}
