import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Locator, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { catalogue } from "../../scripts/drills/catalogue.ts";
import { renderDrillReport } from "../../scripts/drills/report/report.ts";
import { statusPage } from "../../scripts/release/status/page.ts";
import { sampleResults } from "../support/drill-results.ts";
import { sampleReleaseStatus } from "../support/release.ts";

/** WCAG 2.2, level AA, for text of this size. */
const minimumContrast = 4.5;
const lineHeight = 20;
const cellPadding = 14;

const folder = mkdtempSync(join(tmpdir(), "eclair-ami-report-"));
const drillsFile = join(folder, "drills.html");
const failoverFile = join(folder, "failover.html");
const releaseFile = join(folder, "release.html");
let browser: Browser;

beforeAll(async () => {
  writeFileSync(drillsFile, renderDrillReport(sampleResults(catalogue, 2), catalogue));
  writeFileSync(failoverFile, renderDrillReport(sampleResults(catalogue.slice(0, 1), 1), catalogue));
  writeFileSync(releaseFile, statusPage(sampleReleaseStatus()));
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // Chromium refuses to run its sandbox as root. The tests open only these files.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
});
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** A script that returns the lowest contrast between a text of a page and its background. */
const contrast = readFileSync(join(import.meta.dirname, "../support/contrast.js"), "utf8");

async function boxOf(locator: Locator) {
  const box = await locator.boundingBox();
  if (box === null) throw new Error("the element is not visible");
  return box;
}

/** The number of lines of each drill title in a table. */
async function titleLines(page: Page, table: string): Promise<number[]> {
  const boxes = await Promise.all((await page.locator(`${table} td:first-child`).all()).map(boxOf));
  return boxes.map(({ height }) => Math.round((height - cellPadding) / lineHeight));
}

/** The texts of the table cells that are wider than their column. */
const clippedCells = `[...document.querySelectorAll("#drills th, #drills td")]
  .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)`;

const scrollWidth = (page: Page) => page.evaluate<number>("document.scrollingElement.scrollWidth");

describe.each(["light", "dark"] as const)("the page of releases, %s", (colorScheme) => {
  test("makes no request, is readable, and shows markup in a reason as text", async () => {
    const page = await browser.newPage({ colorScheme, viewport: { width: 800, height: 800 } });
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => {
      if (request.url() !== `file://${releaseFile}`) problems.push(request.url());
    });
    await page.goto(`file://${releaseFile}`);
    expect(problems).toEqual([]);
    expect(await page.evaluate(contrast)).toBeGreaterThanOrEqual(minimumContrast);
    expect(await scrollWidth(page)).toBeLessThanOrEqual(800);
    const text = await page.locator("main").innerText();
    expect(text).toMatch(/stable\s+0\.13\.0-2\s+mixed/);
    expect(text).toMatch(/withdrawn: <b>bad<\/b>/);
    await page.close();
  });
});

describe.each(["light", "dark"] as const)("the page of all drills, %s", (colorScheme) => {
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 800 } });
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => {
      if (request.url() !== `file://${drillsFile}`) problems.push(request.url());
    });
    await page.goto(`file://${drillsFile}`);
  });

  test("makes no request and has readable text in the colors of the viewer's system", async () => {
    expect(problems).toEqual([]);
    expect(await page.evaluate(contrast)).toBeGreaterThanOrEqual(minimumContrast);
    const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(background === "rgb(245, 247, 249)").toBe(colorScheme === "light");
  });

  test("fits a width of 1280 pixels, with titles of at most two lines", async () => {
    expect(await scrollWidth(page)).toBeLessThanOrEqual(1280);
    const lines = [...(await titleLines(page, "#drills")), ...(await titleLines(page, "#comparison"))];
    expect(lines.length).toBeGreaterThan(catalogue.length);
    expect(Math.max(...lines)).toBeLessThanOrEqual(2);
    expect(await page.evaluate(clippedCells)).toEqual([]);
  });

  test("links each drill to its runs", async () => {
    expect(await page.locator("#drills tbody tr").count()).toBe(catalogue.length);
    await page.getByRole("link", { name: "Eclair is killed with SIGKILL", exact: true }).first().click();
    expect(page.url()).toMatch(/#kill-eclair$/);
    expect(await page.locator("#kill-eclair .run").count()).toBe(2);
    expect(await page.locator("#switchover .run").first().textContent()).toContain(
      "i-1 or <i-2> did not serve within 90 s",
    );
  });

  test("compares the drills with the baseline, and shows the takeover after the expiry of a lease", async () => {
    const cells = async (table: string, link: string) =>
      await page.locator(`${table} tr:has(a[href="#${link}"]) td`).allTextContents();
    expect(await page.locator("#comparison tbody tr").count()).toBe(3);
    expect((await cells("#comparison", "kill-eclair")).slice(1)).toEqual([
      "1.20 / 1.20",
      "16.00 / 16.00",
      "13.3",
      "0 / 0",
      "0 / 0",
    ]);
    expect(await cells("#drills", "baseline-kill-eclair")).toContain("15.40 / 15.40");
    expect(await cells("#drills", "kill-eclair")).not.toContain("15.40 / 15.40");
  });

  test("shows both hosts, the lease and the load balancer of a run inside the timeline", async () => {
    const run = page.locator("#kill-eclair .run").first();
    for (const track of await run.locator(".track").all()) {
      const outer = await boxOf(track);
      for (const bar of await track.locator(".bar, .lease").all()) {
        const inner = await boxOf(bar);
        expect(inner.width).toBeGreaterThan(0);
        expect(inner.x).toBeGreaterThanOrEqual(outer.x - 1);
        expect(inner.x + inner.width).toBeLessThanOrEqual(outer.x + outer.width + 1);
      }
    }
    // The bar of the active host ends at the fault, and the bar of the standby starts after the fault.
    const elementIn = (row: number, element: string) =>
      boxOf(run.locator(".row").nth(row).locator(element).first());
    const [active, fault, standby] = [
      await elementIn(0, ".bar"),
      await elementIn(0, ".fault"),
      await elementIn(1, ".bar"),
    ];
    expect(active.x + active.width).toBeLessThanOrEqual(fault.x + fault.width);
    expect(standby.x).toBeGreaterThan(fault.x);
    expect(await run.locator(".lease").count()).toBe(2);
  });

  test.each([800, 390])("does not scroll horizontally at a width of %d pixels", async (width) => {
    await page.setViewportSize({ width, height: 800 });
    expect(await scrollWidth(page)).toBeLessThanOrEqual(width);
  });
});

describe("the failover page", () => {
  let page: Page;

  beforeAll(async () => {
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(`file://${failoverFile}`);
  });

  test("fits a width of 1280 pixels, with the title on one line", async () => {
    expect(await scrollWidth(page)).toBeLessThanOrEqual(1280);
    expect(await titleLines(page, "#drills")).toEqual([1]);
  });

  test("has a time axis in seconds under the timeline", async () => {
    const axis = page.locator(".run .axis");
    expect(await axis.locator("> span").first().textContent()).toBe("Seconds since the fault");
    const labels = await axis.locator(".tick b").allTextContents();
    expect(labels.length).toBeGreaterThanOrEqual(3);
    expect(labels).toEqual(expect.arrayContaining(["−1", "0", "1"]));
    const tracks = await Promise.all((await page.locator(".track").all()).map(boxOf));
    const { y } = await boxOf(axis);
    for (const track of tracks) expect(y).toBeGreaterThan(track.y);
  });

  test("has the tick at zero where the timeline has the fault", async () => {
    const zero = page.locator(".tick", { has: page.getByText("0", { exact: true }) });
    const [tick, fault] = [
      await boxOf(zero.locator("i")),
      await boxOf(page.locator(".track .fault").first()),
    ];
    expect(Math.abs(tick.x - fault.x)).toBeLessThanOrEqual(1);
  });

  test.each([800, 390])("does not scroll horizontally at a width of %d pixels", async (width) => {
    await page.setViewportSize({ width, height: 800 });
    expect(await scrollWidth(page)).toBeLessThanOrEqual(width);
    expect(await page.locator(".run .axis .tick b:visible").count()).toBeGreaterThanOrEqual(3);
  });
});
