import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { catalogue } from "../../scripts/drills/catalogue.ts";
import { drillReport } from "../../scripts/drills/report.ts";
import type { Results, Run } from "../../scripts/drills/results.ts";

const drills = ["kill-eclair", "switchover", "plain-kill-eclair", "without-fence"];
/** Of WCAG 2.2, for text of this size. */
const leastContrast = 4.5;

const run = (drill: string, number: number): Run => ({
  drill,
  run: number,
  at: "2026-01-01T00:00:00.000Z",
  verdict: drill === "switchover" ? "failed" : "passed",
  reasons: drill === "switchover" ? ["none of i-1, i-2 <served> within 90 s"] : [],
  otherServes: drill.startsWith("plain-") ? 16_000 : 1200 + number,
  outage: 7800,
  leaseLeft: drill.startsWith("plain-") ? -0.3 : 9.4,
  takeovers: 1,
  acknowledged: 120,
  lost: 0,
  overlaps: drill === "without-fence" ? 40 : 0,
  staleConnections: 0,
  timeline: {
    answers: {
      active: [{ from: -3000, to: -20 }],
      standby: [{ from: 1200, to: 20_000 }],
      balancer: [
        { from: -3000, to: -20 },
        { from: 7800, to: 20_000 },
      ],
    },
    holders: [
      { at: -3000, place: "active" },
      { at: 900, place: "standby" },
    ],
    end: 20_000,
  },
});

const results: Results = {
  image: "ami-0123456789abcdef0",
  eclair: { version: "0.13.0", standIn: true },
  lease: { seconds: 15, renewSeconds: 5 },
  cpus: 2,
  began: "2026-01-01T00:00:00.000Z",
  runs: drills.flatMap((drill) => [run(drill, 1), run(drill, 2)]),
};

const folder = mkdtempSync(join(tmpdir(), "eclair-ami-report-"));
const file = join(folder, "drills.html");
let browser: Browser;

beforeAll(async () => {
  writeFileSync(file, drillReport(results, catalogue));
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // Chromium refuses its sandbox to root; it opens this one file.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** The least contrast of any text of a page with what is behind it. */
const contrast = readFileSync(join(import.meta.dirname, "../support/contrast.js"), "utf8");

describe.each(["light", "dark"] as const)("the drills' report in a browser, %s", (colorScheme) => {
  let page: Page;
  const trouble: string[] = [];

  beforeAll(async () => {
    page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 900 } });
    page.on("console", (message) => trouble.push(message.text()));
    page.on("pageerror", (error) => trouble.push(String(error)));
    page.on("request", (request) => {
      if (request.url() !== `file://${file}`) trouble.push(request.url());
    });
    await page.goto(`file://${file}`);
  });

  test("it stands alone, and is read well", async () => {
    expect(trouble).toEqual([]);
    expect(await page.evaluate(contrast)).toBeGreaterThanOrEqual(leastContrast);
    const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(background === "rgb(245, 247, 249)").toBe(colorScheme === "light");
  });

  test("each fault has a line that leads to its runs", async () => {
    const lines = page.locator("#faults tr");
    expect(await lines.count()).toBe(1 + drills.length);
    await page
      .getByRole("link", { name: /kill -9 of Eclair/ })
      .first()
      .click();
    expect(page.url()).toMatch(/#kill-eclair$/);
    expect(await page.locator("#kill-eclair .run").count()).toBe(2);
    expect(await page.locator("#switchover .run").first().textContent()).toContain("<served> within 90 s");
  });

  test("ours stands beside plain Eclair, and what follows a lease's end is told", async () => {
    const cells = async (row: string) => await page.locator(row).locator("td").allTextContents();
    expect(await page.locator("#comparison tr").count()).toBe(2);
    const compared = await cells("#comparison tr:nth-child(2)");
    expect(compared.slice(1)).toEqual(["1.20 / 1.20", "16.00 / 16.00", "13.3", "0 / 0", "0 / 0"]);
    expect(await cells("#faults tr:nth-child(4)")).toContain("15.40 / 15.40");
    expect(await cells("#faults tr:nth-child(2)")).not.toContain("15.40 / 15.40");
  });

  test("a run shows both nodes, lease and load balancer within its bounds", async () => {
    const first = page.locator("#kill-eclair .run").first();
    for (const track of await first.locator(".track").all()) {
      const outer = await track.boundingBox();
      for (const bar of await track.locator(".bar, .lease").all()) {
        const inner = await bar.boundingBox();
        if (outer === null || inner === null) throw new Error("a bar that is not shown");
        expect(inner.width).toBeGreaterThan(0);
        expect(inner.x).toBeGreaterThanOrEqual(outer.x - 1);
        expect(inner.x + inner.width).toBeLessThanOrEqual(outer.x + outer.width + 1);
      }
    }
    // The active one's bar ends where the fault's mark is, and the other one's begins after it.
    const box = async (row: number, what: string) =>
      await first.locator(".row").nth(row).locator(what).first().boundingBox();
    const [before, mark, after] = [await box(0, ".bar"), await box(0, ".mark"), await box(1, ".bar")];
    if (before === null || mark === null || after === null) throw new Error("a bar that is not shown");
    expect(before.x + before.width).toBeLessThanOrEqual(mark.x + mark.width);
    expect(after.x).toBeGreaterThan(mark.x);
    expect(await first.locator(".lease").count()).toBe(2);
  });

  test("on a narrow screen nothing but tables is wider than it", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
  });
});
