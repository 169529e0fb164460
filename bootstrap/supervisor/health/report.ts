import type { BootStatus } from "../../contract/reports/boot.ts";
import type { BitcoindReport, BitcoindSummary } from "../../contract/reports/bitcoind.ts";
import type { EclairReport, InstanceReport, LeaseReport } from "../../contract/reports/instance.ts";
import { version } from "../../version.ts";
import type { NodeContext } from "../context/node-context.ts";
import type { Decision } from "../decide.ts";
import type { DoorControl } from "../door/door-control.ts";
import { diskProblems } from "./chain-disk.ts";

/** What the supervisor knows about its instance. */
export type SupervisorState = {
  readonly decision: Decision;
  readonly roleSince: Date;
  readonly isLive: boolean;
  /** Whether Eclair runs on this host, answers, and holds the lease. */
  readonly isActive: boolean;
  readonly bitcoind: BitcoindReport;
  readonly bitcoinds: readonly BitcoindSummary[];
  readonly lease: LeaseReport;
  readonly eclair: EclairReport;
  /** Undefined with `door: off`. */
  readonly door: Pick<DoorControl, "serving" | "problems" | "report"> | undefined;
  readonly boot: BootStatus;
};

/** The report of an instance, from the state of its supervisor. */
export function buildReport(
  { node, recordMirror, chainDisk, chainHealth, budget }: NodeContext,
  { decision, roleSince, isLive, isActive, bitcoind, bitcoinds, lease, eclair, door, boot }: SupervisorState,
): InstanceReport {
  const { configuration, identity } = node;
  const disk = chainDisk?.report;
  const doorReport = door?.report;
  return {
    live: isLive,
    ready: isActive || (decision.role === "standby" && decision.ready),
    active: isActive,
    serving: door?.serving ?? isActive,
    role: decision.role,
    reasons: [...decision.reasons, ...diskProblems(disk), ...(door?.problems ?? [])],
    roleSince: roleSince.toISOString(),
    cluster: configuration.cluster,
    nodeId: configuration.nodeId,
    chain: configuration.chain,
    identity,
    targetGroupArns: configuration.targetGroupArns,
    bitcoind,
    bitcoinds: [...bitcoinds],
    chainTip: chainHealth.report,
    ...(disk !== undefined && { chainDisk: disk }),
    ...(doorReport !== undefined && { door: doorReport }),
    lease,
    eclair,
    record: recordMirror.state,
    budget: budget.report,
    secretVersions: node.secretVersions,
    versions: { eclair: node.eclair, bootstrap: version },
    boot,
  };
}
