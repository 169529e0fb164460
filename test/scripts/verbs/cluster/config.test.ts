import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { chains } from "../../../../bootstrap/contract/configuration/node.ts";
import { createProgram } from "../../../../scripts/program.ts";
import { filledExample } from "../../../support/example-node.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "eclair-ami-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `eclair-ami config`. @returns what it prints */
async function config(...args: string[]): Promise<string> {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    const program = await createProgram("config");
    await program.parseAsync(["config", ...args], { from: "user" });
    return log.mock.calls.map(([line]) => (line === undefined ? "" : String(line))).join("\n");
  } finally {
    log.mockRestore();
  }
}

function written(text: string): string {
  const file = join(folder, "node.yaml");
  writeFileSync(file, text);
  return file;
}

describe.each(chains)("on %s", (chain) => {
  test("`config check` accepts the completed example of `config new`", async () => {
    const file = written(filledExample(await config("new", "--chain", chain)));
    expect(await config("check", file)).toMatch(
      new RegExp(`node\\.yaml: valid, node 02(ab){32} on ${chain}, cluster demo$`),
    );
  });

  test("`config render` prints the files of an instance, with *** for each secret", async () => {
    const file = written(filledExample(await config("new", "--chain", chain)));
    const rendered = await config("render", file);
    expect(rendered).toMatch(/^==> \S*\/eclair\.conf \(\S+:\S+ 0\d{3}\)$/m);
    expect(rendered).toMatch(/^==> \S*\/bitcoin\.conf \(\S+:\S+ 0\d{3}\)$/m);
    expect(rendered).toMatch(new RegExp(`^ *chain = "?${chain}"?$`, "m"));
    const passwords = [...rendered.matchAll(/^ *\w*password\s*=\s*(.+)$/gm)].map(([, value]) => value);
    expect(passwords.length).toBeGreaterThan(1);
    for (const password of passwords) expect(password).toContain("***");
    for (const seed of ["node_seed", "channel_seed"])
      expect(rendered).toMatch(new RegExp(`^==> \\S*${seed}\\S* \\(.*\\)\\n\\*\\*\\*$`, "m"));
  });
});

test("`config check` names the line and the key of a wrong value", async () => {
  const file = written(
    filledExample(await config("new")).replace("leaseSeconds: 40", "leaseSeconds: thirty"),
  );
  await expect(config("check", file)).rejects.toMatchObject({
    code: "configuration.invalid",
    exitCode: 2,
    message: expect.stringMatching(/node\.yaml.*database\.leaseSeconds/s) as string,
  });
});
