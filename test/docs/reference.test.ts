import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorCodes } from "../../bootstrap/contract/error-codes.ts";
import { logEvents } from "../../bootstrap/contract/log.ts";
import { pages } from "../../docs/reference/pages.ts";
import { root } from "../../scripts/machine/paths.mjs";

const generated = await pages();
const source = globSync(["bootstrap/**/*.ts", "scripts/**/*.{ts,mjs}"], { cwd: root })
  .filter((file) => !file.endsWith("contract/error-codes.ts") && !file.endsWith("contract/log.ts"))
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n");

test.each([...generated.keys()])("docs/reference/%s is up to date: otherwise run `npm run docs`", (name) => {
  expect(readFileSync(join(root, "docs/reference", name), "utf8")).toBe(generated.get(name));
});

test("the reference describes every error code, and the code uses each of them", () => {
  const page = generated.get("errors.md") ?? "";
  const isUsed = (code: string) => {
    // The codes of a mismatch are put together from the place and the part that differs.
    const [place, part] = code.split(".");
    return (
      source.includes(`"${code}"`) ||
      (/^(record|database)$/.test(place ?? "") && source.includes(`"${part}"`))
    );
  };
  expect(Object.keys(errorCodes).filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([]);
  expect(Object.keys(errorCodes).filter((code) => !isUsed(code))).toEqual([]);
});

test("the code logs each event of the reference", () => {
  expect(Object.keys(logEvents).filter((event) => !source.includes(`"${event}"`))).toEqual([]);
});

test("the command line has a description of every command and option", () => {
  const page = generated.get("cli.md") ?? "";
  expect(page).toContain("## eclair-ami bake");
  expect(page).not.toMatch(/\| *\|/);
});
