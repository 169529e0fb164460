import { errorCodes } from "../../bootstrap/contract/error-codes.ts";
import { logEvents, logLevels } from "../../bootstrap/contract/log.ts";
import { metrics } from "../../bootstrap/supervisor/health/metrics.ts";
import { code, pageHead, table } from "./markdown.ts";

export function errorsPage(): string {
  const introduction = `Every error of \`eclair-ami\` and of the program on an instance has one of these codes. The error itself names the
operation, what is wrong and where, what to do, and what the operation may have changed.

With \`--json\`, a command prints an error as \`{"event": "command.failed", "error": {…}}\`. The log and the reports of an
instance contain the same object in the field \`error\`: \`code\`, \`operation\`, \`message\`, \`remedy\`, \`mayHaveChanged\` (absent
when nothing changed) and \`retryable\` (whether the same operation can succeed later without an operator).`;
  const rows = Object.entries(errorCodes).map(([name, meaning]) => [code(name), meaning]);
  return `${pageHead("Error codes", introduction)}\n${table(["code", "meaning"], rows)}\n`;
}

export function logEventsPage(): string {
  const introduction = `The program on an instance writes one line of JSON for each event. \`journalctl -u eclair-bootstrap -u eclair-supervisor -o cat\`
prints the lines. Each line has \`level\` (${logLevels.map(code).join(", ")}) and \`event\`. A line about something that took time
has \`durationMs\`. A line about an error has the object \`error\` (see [errors.md](errors.md)). The journal supplies the time.`;
  const rows = Object.entries(logEvents).map(([name, meaning]) => [code(name), meaning]);
  return `${pageHead("Log events", introduction)}\n${table(["event", "meaning"], rows)}\n`;
}

export function metricsPage(): string {
  const introduction = `\`GET /metrics\` on port 8090 of an instance returns these gauges in the text format of Prometheus. Each sample has the labels
\`cluster\` and \`instance_id\` (EC2). A metric has no sample while the instance does not know its value.`;
  const rows = metrics.map(({ name, labels = [], help }) => [
    code(name),
    labels.map(code).join(", ") || "-",
    help,
  ]);
  return `${pageHead("Metrics", introduction)}\n${table(["metric", "more labels", "meaning"], rows)}\n`;
}
