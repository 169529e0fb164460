import Handlebars from "handlebars";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Drill } from "../drill.ts";
import type { Results } from "../results.ts";
import { compareWithBaseline, summarizeAddresses, summarizeDrill, summarizeResults } from "./summary.ts";
import { layOutTimeline } from "./timeline.ts";

/** Of every column of the table except the title, in pixels. */
const columnWidths = [62, 105, 105, 110, 105, 98, 76, 105, 86];

const template = join(import.meta.dirname, "report.hbs");

/** One self-contained HTML page about the runs of one or more drills. The page makes no request. */
export function renderDrillReport(results: Results, drills: readonly Drill[]): string {
  const render = Handlebars.compile(readFileSync(template, "utf8"), { strict: true });
  const executed = drills
    .map((drill) => ({
      drill,
      runs: results.runs.filter((run) => run.drill === drill.name).toSorted((a, b) => a.run - b.run),
    }))
    .filter(({ runs }) => runs.length > 0);
  return render({
    results,
    isStandIn: results.eclair.kind === "stand-in",
    startedAt: `${results.startedAt.slice(0, 16).replace("T", " ")} UTC`,
    columnWidths,
    isSingleRun: results.runs.length === 1,
    totals: summarizeResults(executed),
    drills: executed.map(({ drill, runs }) => ({
      name: drill.name,
      title: drill.title,
      summary: summarizeDrill(runs),
      addresses: summarizeAddresses(runs),
      runs: runs.map(layOutTimeline),
    })),
    comparisons: compareWithBaseline(executed),
  });
}
