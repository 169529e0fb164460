import { budgetText } from "../../../bootstrap/contract/budget/describe.ts";
import { chainTipTexts } from "../../../bootstrap/contract/reports/chain-tip.ts";
import type { InstanceReport } from "../../../bootstrap/contract/reports/instance.ts";
import { freshSeconds } from "../../../bootstrap/contract/reports/standby.ts";
import { newestBudget } from "../../cluster/budget/newest.ts";
import type { NodeStatus } from "../../cluster/status.ts";
import { reportAge, takeoverCandidates, takeoverProblems } from "../../cluster/takeover.ts";
import { createTable } from "../../ui/table.ts";

/** The instances grouped by cluster: which instance is active, which would take over, and a table of all. */
export function statusText(statuses: readonly NodeStatus[], now: Date): string {
  const clusters = [...new Set(statuses.map(({ cluster }) => cluster))].toSorted();
  return clusters
    .map((cluster) =>
      clusterText(
        cluster,
        statuses.filter((status) => status.cluster === cluster),
        now,
      ),
    )
    .join("\n\n");
}

const labelOf = ({ name, instanceId }: NodeStatus) => `${name} (${instanceId})`;

function clusterText(cluster: string, statuses: readonly NodeStatus[], now: Date): string {
  const nodeId = statuses.find(({ report }) => report !== undefined)?.report?.nodeId;
  return [
    `cluster      ${cluster}`,
    ...(nodeId === undefined ? [] : [`node id      ${nodeId}`]),
    `active       ${activeText(statuses, now)}`,
    `takes over   ${takeoverText(statuses, now)}`,
    ...budgetLine(statuses, now),
    instanceTable(statuses, now),
  ].join("\n");
}

/** The instance whose last report says that it is active. The report of a host that is lost stays as it was. */
function activeText(statuses: readonly NodeStatus[], now: Date): string {
  if (statuses.every(({ report }) => report === undefined)) return "unknown: no instance has sent a report";
  const active = statuses.filter(({ report }) => report?.active === true);
  const texts = active.map((status) => {
    const age = reportAge(status, now) ?? 0;
    return age > freshSeconds
      ? `${labelOf(status)}, but its last report is ${Math.round(age)} s old`
      : labelOf(status);
  });
  return texts.join(", ") || "no instance";
}

/** The instance that would take over now, or why none would. */
function takeoverText(statuses: readonly NodeStatus[], now: Date): string {
  const candidates = takeoverCandidates(statuses, now);
  const [only] = candidates;
  if (only !== undefined)
    return candidates.length === 1 ? labelOf(only) : `one of ${candidates.map(labelOf).join(", ")}`;
  const active = statuses.find(({ report }) => report?.active === true);
  const others = statuses.filter((status) => status !== active);
  if (others.length === 0) return "no instance: the cluster has no standby";
  const reasons = others.map(
    (status) => `${labelOf(status)}: ${takeoverProblems(status, active?.report?.nodeId, now).join("; ")}`,
  );
  return `no instance: ${reasons.join(", ")}`;
}

/** How long the node may be away; no line while no instance reports it. */
function budgetLine(statuses: readonly NodeStatus[], now: Date): string[] {
  const newest = newestBudget(statuses);
  return newest === undefined ? [] : [`budget       ${budgetText(newest.budget, newest.height, now)}`];
}

function instanceTable(statuses: readonly NodeStatus[], now: Date): string {
  const table = createTable(["name", "instance", "image", "address", "role", "target", "lease", "block"]);
  for (const status of statuses) {
    const { report } = status;
    const lease = report?.lease;
    const remaining =
      lease?.known === true && report?.active === true ? `${lease.remainingSeconds.toFixed(0)} s left` : "-";
    table.push([
      status.name,
      `${status.instanceId}\n${status.instanceState}`,
      status.imageId,
      `${status.privateIp}\n${status.availabilityZone}`,
      [...notesOn(status), ...ageOf(status, now)].join("\n"),
      status.targetHealth.join("\n") || "-",
      remaining,
      report?.bitcoind.known === true
        ? [report.bitcoind.blocks, ...chainTipTexts(report.chainTip)].join("\n")
        : "-",
    ]);
  }
  return table.toString();
}

function ageOf(status: NodeStatus, now: Date): string[] {
  const age = reportAge(status, now) ?? 0;
  return age > freshSeconds ? [`(reported ${Math.round(age)} s ago)`] : [];
}

/** The role of an instance, and everything that an operator needs to know about this role. */
function notesOn({ report, boot }: NodeStatus): string[] {
  if (report === undefined) return [boot.message];
  const notes = [report.role, ...report.reasons];
  if (report.role === "standby") notes.push(armedText(report.eclair));
  if (report.active && !report.record.known) notes.push(report.record.reason);
  // A later boot failed: the instance continues with the files of an earlier boot.
  if (boot.failed) notes.push(boot.message);
  return notes;
}

function armedText({ armed, armBeforeExpiry }: InstanceReport["eclair"]): string {
  if (armed === "yes") return "armed";
  return armBeforeExpiry ? "arms shortly before the lease expires" : "not armed yet";
}
