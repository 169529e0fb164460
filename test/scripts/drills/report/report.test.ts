import { expect, test } from "vitest";
import { renderDrillReport } from "../../../../scripts/drills/report/report.ts";
import { sampleResults } from "../../../support/drill-results.ts";

const drill = (name: string) => ({ name, title: `Title of ${name}`, execute: async () => undefined });
const drills = ["kill-eclair", "switchover", "kill-host"].map(drill);

test("the report refers to no other file or host", () => {
  const page = renderDrillReport(sampleResults(drills, 2), drills);
  expect(page).not.toMatch(/https?:|\bsrc=|<link|<script|@import|url\(/);
});

test("the report escapes the reasons of a failed run", () => {
  const page = renderDrillReport(sampleResults(drills, 1), drills);
  expect(page).toContain("i-1 or &lt;i-2&gt; did not serve within 90 s");
});

test("the report contains only drills that were executed", () => {
  const page = renderDrillReport(sampleResults(drills.slice(0, 1), 1), drills);
  expect(page).toContain('id="kill-eclair"');
  expect(page).not.toContain('id="kill-host"');
});
