import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../../scripts/machine/paths.mjs";
import { boundaryViolations } from "./check.ts";

let planted: string;
beforeEach(() => {
  planted = mkdtempSync(join(tmpdir(), "eclair-ami-boundaries-"));
  mkdirSync(join(planted, "bootstrap"));
  mkdirSync(join(planted, "infra"));
  mkdirSync(join(planted, "scripts"));
});
afterEach(() => {
  rmSync(planted, { recursive: true });
});

function plant(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(planted, path)), { recursive: true });
    writeFileSync(join(planted, path), text);
  }
}
const importing = (...paths: string[]) =>
  paths
    .map((path, index) => `import { x as x${index} } from "${path}"; export const y${index} = x${index};`)
    .join("\n");
const exporting = "export const x = 1;";

test("the repository keeps its boundaries", { timeout: 60_000 }, async () => {
  expect(await boundaryViolations(root)).toEqual([]);
});

test.each<[string, string, Readonly<Record<string, string>>]>([
  [
    "an import of the instance's program into the command line",
    "scripts-import-the-contract-only: scripts/cluster/a.ts → bootstrap/os/log.ts",
    { "scripts/cluster/a.ts": importing("../../bootstrap/os/log.ts"), "bootstrap/os/log.ts": exporting },
  ],
  [
    "an import that an exception for another module does not cover",
    "bootstrap/os/log.ts",
    { "scripts/lab/a.ts": importing("../../bootstrap/os/log.ts"), "bootstrap/os/log.ts": exporting },
  ],
  [
    "an import of the command line into the instance's program",
    "bootstrap-is-independent: bootstrap/os/a.ts → scripts/ui/b.ts",
    { "bootstrap/os/a.ts": importing("../../scripts/ui/b.ts"), "scripts/ui/b.ts": exporting },
  ],
  [
    "an import of another room into the contract",
    "contract-is-independent: bootstrap/contract/a.ts → bootstrap/os/b.ts",
    { "bootstrap/contract/a.ts": importing("../os/b.ts"), "bootstrap/os/b.ts": exporting },
  ],
  [
    "an import of the command line into the constructs",
    "infra-is-a-library: infra/state/a.ts → scripts/ui/b.ts",
    { "infra/state/a.ts": importing("../../scripts/ui/b.ts"), "scripts/ui/b.ts": exporting },
  ],
  [
    "an import of test code into product code",
    "product-imports-no-test: scripts/lab/a.ts → test/support/b.ts",
    { "scripts/lab/a.ts": importing("../../test/support/b.ts"), "test/support/b.ts": exporting },
  ],
  [
    "a cycle between two files, also by types",
    "no-cycle-between-files: ",
    {
      "bootstrap/os/a.ts": 'import type { B } from "./b.ts"; export type A = B;',
      "bootstrap/os/b.ts": 'import type { A } from "./a.ts"; export type B = A;',
    },
  ],
  [
    "a cycle between rooms through four different files",
    "no-cycle-between-rooms: bootstrap/aws → bootstrap/os",
    {
      "bootstrap/aws/in/a.ts": importing("../../os/in/b.ts"),
      "bootstrap/os/in/b.ts": exporting,
      "bootstrap/os/c.ts": importing("../aws/d.ts"),
      "bootstrap/aws/d.ts": exporting,
    },
  ],
  [
    "a folder with 13 files",
    "at-most-12-files: scripts/lab contains 13",
    Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`scripts/lab/${index}.ts`, exporting])),
  ],
])("%s is a violation", async (_what, violation, files) => {
  plant(files);
  expect((await boundaryViolations(planted)).join("\n")).toContain(violation);
});

test("imports of the contract, and the listed exceptions, are allowed", async () => {
  plant({
    "scripts/cluster/a.ts": importing("../../bootstrap/contract/tags.ts"),
    "scripts/drills/a.ts": importing("../../bootstrap/eclair/api.ts"),
    "bootstrap/eclair/api.ts": exporting,
    "bootstrap/contract/tags.ts": exporting,
  });
  expect(await boundaryViolations(planted)).toEqual([]);
});
