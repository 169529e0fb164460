import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { configurationIn } from "../../../bootstrap/userdata/configuration.ts";

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
  mime(["text/cloud-config", "#cloud-config\nhostname: x\n"]),
])("ignores user-data of other programs: %j", async (text) => {
  expect(await configurationIn(Buffer.from(text))).toBeUndefined();
});

test.each([
  ["truncated gzip", gzipSync(document).subarray(0, 40), /gzip.*unexpected end/],
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

test("refuses a gzip that unpacks to more than one mebibyte", async () => {
  await expect(configurationIn(gzipSync(Buffer.alloc(2 * 1024 * 1024, "a")))).rejects.toThrow(/gzip/);
});
