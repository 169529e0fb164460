import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../../scripts/machine/paths.mjs";

test("the programs that install the prerequisites use only Node and each other", () => {
  for (const file of globSync("scripts/machine/*.mjs", { cwd: root })) {
    const imports = [...readFileSync(join(root, file), "utf8").matchAll(/from "([^"]+)"/g)];
    for (const [, specifier = ""] of imports) expect(specifier, file).toMatch(/^(node:|\.\/[\w-]+\.mjs$)/);
  }
});
