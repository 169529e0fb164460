import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { settingProblems } from "../../../bootstrap/contract/eclair/reference.ts";
import type { EclairArtifact } from "../../../scripts/image/artifacts/artifact.ts";
import { readEclairReference } from "../../../scripts/image/eclair-reference.ts";
import { storedZip } from "../../support/zip.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-reference-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Reads the settings from a zip of Eclair. */
async function read(zip: Buffer) {
  const file = join(folder, "eclair.zip");
  writeFileSync(file, zip);
  return await readEclairReference({ file, version: "0.13.0", kind: "real" } as EclairArtifact);
}
const eclairZip = (conf: string) =>
  storedZip({
    "eclair-node-0.13.0/lib/akka-actor_2.13-2.6.20.jar": storedZip({ "reference.conf": "akka { a = 1 }" }),
    "eclair-node-0.13.0/lib/eclair-core_2.13-0.13.0.jar": storedZip({
      "a.class": "",
      "reference.conf": conf,
    }),
  });

const reference = `
// A comment.
eclair {
  datadir = \${user.home}"/.eclair"
  channel { min-depth-blocks = 8, max-block-processing-delay = 30 seconds }
  bitcoind.wallet = "" # another comment
  features.keysend = disabled
  trampoline-nodes = []
}
`;

test("reads the names and defaults of the settings from the reference.conf in Eclair's jar", async () => {
  expect(await read(eclairZip(reference))).toMatchObject({
    eclair: "0.13.0",
    complete: true,
    defaults: {
      "channel.min-depth-blocks": 8,
      "channel.max-block-processing-delay": "30 seconds",
      "bitcoind.wallet": "",
      "features.keysend": "disabled",
      "trampoline-nodes": [],
    },
  });
});

test("finds a misspelt setting with the settings of a real Eclair", async () => {
  const settings = { "channel.min-depth-block": 3, "channel.min-depth-blocks": 3 };
  expect(settingProblems(settings, await read(eclairZip(reference)))).toEqual([
    {
      setting: "channel.min-depth-block",
      message:
        "is not a setting of Eclair 0.13.0, which would ignore it (did you mean `channel.min-depth-blocks`?)",
    },
  ]);
});

test.each([
  [
    "a file that is no zip",
    Buffer.from("<!DOCTYPE html>"),
    /the zip, a jar in it or its reference\.conf is damaged/,
  ],
  ["a truncated zip", eclairZip(reference).subarray(0, 400), /is damaged/],
  ["a reference.conf that is no HOCON", eclairZip("eclair { a = "), /is damaged/],
  ["a zip without Eclair", storedZip({ "readme.txt": "x" }), /no jar contains a reference\.conf/],
  ["a jar without settings of Eclair", eclairZip("akka { a = 1 }"), /no jar contains a reference\.conf/],
])("refuses %s in words of its own", async (_, zip, message) => {
  const error = await read(zip).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "artifact.not-eclair", exitCode: 2 });
  expect((error as Error).message).toMatch(message);
});
