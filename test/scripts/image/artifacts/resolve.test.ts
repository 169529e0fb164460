import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readGivenEclair } from "../../../../scripts/image/artifacts/resolve.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-zip-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const top = "eclair-node-0.13.0-0123456/";

/** Creates a zip with empty files. */
function zip(names: readonly string[]): string {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const name of names.map((each) => Buffer.from(top + each))) {
    const localHeader = Buffer.alloc(30);
    localHeader.writeUInt32LE(0x04034b50, 0);
    localHeader.writeUInt16LE(name.length, 26);
    const centralHeader = Buffer.alloc(46);
    centralHeader.writeUInt32LE(0x02014b50, 0);
    centralHeader.writeUInt16LE(name.length, 28);
    centralHeader.writeUInt32LE(offset, 42);
    local.push(localHeader, name);
    central.push(centralHeader, name);
    offset += localHeader.length + name.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(Buffer.concat(central).length, 12);
  end.writeUInt32LE(offset, 16);
  const file = join(folder, "eclair.zip");
  writeFileSync(file, Buffer.concat([...local, ...central, end]));
  return file;
}

test("a given release that is not pinned is not for release", async () => {
  expect(await readGivenEclair(zip(["lib/eclair-node_2.13-0.13.0.jar"]))).toMatchObject({
    kind: "real",
    version: "0.13.0",
    source: "file eclair.zip",
    notForRelease: "the given file of Eclair 0.13.0 is not pinned",
  });
});

test("a given stand-in is recognised and is not for release", async () => {
  expect(await readGivenEclair(zip(["lib/eclair-node_2.13-0.13.0.jar", "STAND-IN"]))).toMatchObject({
    kind: "stand-in",
    notForRelease: "the image contains the stand-in Eclair",
  });
});

test("a file that is not an Eclair release is refused", async () => {
  await expect(readGivenEclair(zip(["README"]))).rejects.toMatchObject({
    code: "artifact.not-eclair",
    message: "the file lib/eclair-node_….jar is missing",
    exitCode: 2,
  });
});

test("a file that is not a zip is refused, and the error keeps its cause", async () => {
  const file = join(folder, "text.zip");
  writeFileSync(file, "text");
  await expect(readGivenEclair(file)).rejects.toMatchObject({
    code: "artifact.not-eclair",
    cause: expect.any(Error) as Error,
  });
});
