import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { configurationIn } from "../../../../bootstrap/contract/userdata/configuration.ts";

const document = "apiVersion: eclair-ami/v1\nkind: ImageTest\nid: bake-1\npeer: 100.64.8.20:18444\n";
const parsed = { apiVersion: "eclair-ami/v1", kind: "ImageTest", id: "bake-1", peer: "100.64.8.20:18444" };

function mime(...parts: readonly (readonly [type: string, body: string])[]): string {
  const bodies = parts.map(
    ([type, body]) => `--B\r\nContent-Type: ${type}\r\nMIME-Version: 1.0\r\n\r\n${body}\r\n`,
  );
  return `Content-Type: multipart/mixed; boundary="B"\r\nMIME-Version: 1.0\r\n\r\n${bodies.join("")}--B--\r\n`;
}

const base64Part = `application/x-eclair-ami\r\nContent-Transfer-Encoding: base64`;
const multipart = mime(
  ["text/cloud-config", "#cloud-config\nhostname: x\n"],
  ["application/x-eclair-ami", document],
);

test.each([
  ["as plain text", Buffer.from(document)],
  ["in gzip", gzipSync(document)],
  ["in base64", Buffer.from(Buffer.from(document).toString("base64"))],
  ["in base64 of gzip", Buffer.from(gzipSync(document).toString("base64"))],
  ["as a MIME part next to cloud-config", Buffer.from(multipart)],
  ["as a MIME part, with the message in gzip", gzipSync(multipart)],
  ["as a MIME part in base64", Buffer.from(mime([base64Part, Buffer.from(document).toString("base64")]))],
  [
    "as a MIME part in quoted-printable",
    Buffer.from(
      mime([
        "application/x-eclair-ami\r\nContent-Transfer-Encoding: quoted-printable",
        document.replace("eclair-ami/v1", "eclair=2Dami/v1"),
      ]),
    ),
  ],
  [
    "as a part of a MIME message inside a MIME message",
    Buffer.from(
      `Content-Type: multipart/mixed; boundary="A"\r\nMIME-Version: 1.0\r\n\r\n--A\r\n${multipart}\r\n--A--\r\n`,
    ),
  ],
  ["as JSON on one line", Buffer.from(JSON.stringify(parsed))],
  ["as JSON on one line, in base64", Buffer.from(Buffer.from(JSON.stringify(parsed)).toString("base64"))],
  ["with a byte order mark", Buffer.from(`\ufeff${document}`)],
  ["after a comment", Buffer.from(`# our node\n\n${document}`)],
  ["with YAML's start of a document", Buffer.from(`---\n${document}`)],
  [
    "as the whole MIME message",
    Buffer.from(`MIME-Version: 1.0\r\nContent-Type: application/x-eclair-ami\r\n\r\n${document}`),
  ],
  ["as a MIME part whose type has capitals", Buffer.from(mime(["Application/X-Eclair-AMI", document]))],
  [
    "as a MIME part in base64 of gzip",
    Buffer.from(mime([base64Part, gzipSync(document).toString("base64")])),
  ],
])("reads a document %s", async (_title, userData) => {
  expect(await configurationIn(userData)).toEqual(parsed);
});

test.each([
  "",
  "#!/bin/sh\necho hi\n",
  "#cloud-config\npackages: [x]\n",
  "a: [unclosed",
  "just words",
  "anVzdCB3b3Jkcw==",
  "#!/bin/sh\nkind: x\n",
  "#cloud-config\nkind: x\n",
  mime(["text/cloud-config", "#cloud-config\nhostname: x\n"]),
])("ignores user-data of other programs: %j", async (text) => {
  expect(await configurationIn(Buffer.from(text))).toBeUndefined();
});

test.each([
  ["truncated gzip", gzipSync(document).subarray(0, 40), /gzip and ends too early/],
  ["gzip with a changed byte", Buffer.from(gzipSync(document).with(30, 0)), /gzip and is damaged/],
  [
    "two parts",
    Buffer.from(mime(["application/x-eclair-ami", document], ["application/x-eclair-ami", document])),
    /2 parts/,
  ],
  ["an unknown key", Buffer.from(`${document}seed: x\n`), /line 5: seed is not a known key/],
  [
    "a peer that could break out of its line",
    Buffer.from(document.replace("18444", '1\\nrpcauth=x"').replace("100", '"100')),
    /peer/,
  ],
])("refuses user-data: %s", async (_title, userData, message) => {
  await expect(configurationIn(userData)).rejects.toThrow(message);
});

describe("user-data that mentions this project and yields no document is refused", () => {
  const inBase64 = (text: string) => Buffer.from(Buffer.from(text).toString("base64"));
  test.each<[string, Buffer, RegExp]>([
    [
      "a first line of cloud-config",
      Buffer.from(`#cloud-config\n${document}`),
      /line 1: `#cloud-config` makes .* line 2 mentions eclair-ami/,
    ],
    ["the same in base64", inBase64(`#cloud-config\n${document}`), /`#cloud-config`/],
    ["the same in gzip", gzipSync(`\n#cloud-config\n${document}`), /line 2: `#cloud-config`/],
    ["a script", Buffer.from(`#!/bin/sh\ncat <<END\n${document}END\n`), /line 1: `#!`/],
    [
      "a cloud-config archive",
      Buffer.from(`#cloud-config-archive\n- type: application/x-eclair-ami\n  content: x\n`),
      /`#cloud-config-archive`/,
    ],
    ["a template", Buffer.from(`## template: jinja\n${document}`), /`## template: jinja`/],
    [
      "a MIME part of another type",
      Buffer.from(mime(["text/cloud-config", document])),
      /a part of the type text\/cloud-config mentions eclair-ami/,
    ],
    [
      "a MIME part of another type in base64 of gzip",
      Buffer.from(
        mime([
          "text/x-shellscript\r\nContent-Transfer-Encoding: base64",
          gzipSync(document).toString("base64"),
        ]),
      ),
      /text\/x-shellscript/,
    ],
    [
      "a MIME part of plain text",
      Buffer.from(mime(["text/plain", document])),
      /a part of the type text\/plain/,
    ],
    ["an empty MIME part", Buffer.from(mime(["application/x-eclair-ami", ""])), /is empty/],
    [
      "a MIME message with another boundary",
      Buffer.from(multipart.replace('boundary="B"', 'boundary="C"')),
      /mentions eclair-ami/,
    ],
    ["UTF-16", Buffer.from(document, "utf16le"), /UTF-16/],
    ["UTF-16 with a byte order mark", Buffer.from(`\ufeff${document}`, "utf16le"), /UTF-16/],
    ["a document that is not the first line", Buffer.from(`Hello\n${document}`), /line \d/],
    ["another API version", Buffer.from(document.replace("eclair-ami/v1", "eclairami/v1")), /apiVersion/],
  ])("%s", async (_, userData, message) => {
    await expect(configurationIn(userData)).rejects.toThrow(message);
    await expect(configurationIn(userData)).rejects.toMatchObject({ code: "configuration.invalid" });
  });
});

test("refuses a gzip that unpacks to more than one mebibyte", async () => {
  await expect(configurationIn(gzipSync(Buffer.alloc(2 * 1024 * 1024, "a")))).rejects.toThrow(/gzip/);
});
