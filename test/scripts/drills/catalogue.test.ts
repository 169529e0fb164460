import { describe, expect, test } from "vitest";
import { catalogue } from "../../../scripts/drills/catalogue.ts";
import { baselinePrefix } from "../../../scripts/drills/drill.ts";

/** Two lines of a title in the report. */
const titleCharacters = 100;

describe("the drills", () => {
  test("have unique names and titles", () => {
    expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
    expect(new Set(catalogue.map(({ title }) => title)).size).toBe(catalogue.length);
  });

  test.each(catalogue.map(({ name, title }) => [name, title]))(
    "%s has a title that stands alone",
    (_, title) => {
      expect(title).toMatch(/^([A-Z]|bitcoind )/);
      expect(title).not.toMatch(/\bthe same\b|\blast one\b|\bother one\b|\babove\b|\bbelow\b|\bas well\b/i);
      expect(title.length).toBeLessThanOrEqual(titleCharacters);
    },
  );

  test("have a drill with eclair-ami for each baseline drill", () => {
    const names = catalogue.map(({ name }) => name);
    const baseline = catalogue.filter(({ isBaseline }) => isBaseline === true);
    expect(baseline.length).toBeGreaterThan(0);
    for (const { name } of baseline) expect(names).toContain(name.slice(baselinePrefix.length));
  });
});
