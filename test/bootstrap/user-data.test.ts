import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { configurationIn } from "../../bootstrap/config/from-user-data.ts";

const document = "apiVersion: eclair-ami/v1\nkind: ImageTest\nid: bake-1\npeer: 100.64.8.20:18444\n";
const wanted = { apiVersion: "eclair-ami/v1", kind: "ImageTest", id: "bake-1", peer: "100.64.8.20:18444" };

function mime(...parts: readonly (readonly [type: string, body: string])[]): string {
  const bodies = parts.map(
    ([type, body]) => `--B\r\nContent-Type: ${type}\r\nMIME-Version: 1.0\r\n\r\n${body}\r\n`,
  );
  return `Content-Type: multipart/mixed; boundary="B"\r\nMIME-Version: 1.0\r\n\r\n${bodies.join("")}--B--\r\n`;
}

const base64Part = `application/x-eclair-ami\r\nContent-Transfer-Encoding: base64`;
const beside = mime(
  ["text/cloud-config", "#cloud-config\nhostname: x\n"],
  ["application/x-eclair-ami", document],
);

test.each([
  ["as it is", Buffer.from(document)],
  ["in gzip", gzipSync(document)],
  ["in base64", Buffer.from(Buffer.from(document).toString("base64"))],
  ["in base64 of gzip", Buffer.from(gzipSync(document).toString("base64"))],
  ["as a MIME part beside cloud-config", Buffer.from(beside)],
  ["as a MIME part, the whole in gzip", gzipSync(beside)],
  ["as a MIME part in base64", Buffer.from(mime([base64Part, Buffer.from(document).toString("base64")]))],
  [
    "as a MIME part in base64 of gzip",
    Buffer.from(mime([base64Part, gzipSync(document).toString("base64")])),
  ],
])("a document is read %s", async (_how, userData) => {
  expect(await configurationIn(userData)).toEqual(wanted);
});

test.each([
  "",
  "#!/bin/sh\necho hi\n",
  "#cloud-config\npackages: [x]\n",
  "a: [unclosed",
  "just words",
  mime(["text/cloud-config", "#cloud-config\nhostname: x\n"]),
])("user-data that is not ours is left alone: %j", async (text) => {
  expect(await configurationIn(Buffer.from(text))).toBeUndefined();
});

test.each([
  ["truncated gzip", gzipSync(document).subarray(0, 40), /gzip.*unexpected end/],
  [
    "two parts",
    Buffer.from(mime(["application/x-eclair-ami", document], ["application/x-eclair-ami", document])),
    /2 parts/,
  ],
  ["an unknown key", Buffer.from(`${document}seed: x\n`), /line 5: seed is no setting/],
  [
    "a peer that could break out of its line",
    Buffer.from(document.replace("18444", '1\\nrpcauth=x"').replace("100", '"100')),
    /peer/,
  ],
])("user-data is refused: %s", async (_what, userData, message) => {
  await expect(configurationIn(userData)).rejects.toThrow(message);
});

test("a gzip that unpacks to more than a mebibyte is refused", async () => {
  await expect(configurationIn(gzipSync(Buffer.alloc(2 * 1024 * 1024, "a")))).rejects.toThrow(/gzip/);
});
