import { cliPage } from "./cli-page.ts";
import { errorsPage, logEventsPage, metricsPage } from "./list-pages.ts";

/** The text of each generated page of this folder, by file name. */
export async function pages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["cli.md", await cliPage()],
    ["errors.md", errorsPage()],
    ["log-events.md", logEventsPage()],
    ["metrics.md", metricsPage()],
  ]);
}
