import { expect, test } from "vitest";
import type { InstanceReport } from "../../../../bootstrap/contract/reports/instance.ts";
import type { NodeStatus } from "../../../../scripts/cluster/status.ts";
import { statusText } from "../../../../scripts/verbs/cluster/status-table.ts";

const now = new Date("2026-01-01T00:01:40.000Z");
const booted = { message: "done", failed: false, final: false };
const standby = {
  ...{
    active: false,
    ready: true,
    role: "standby",
    reasons: ["another Eclair holds the lease"],
    nodeId: "02aa",
  },
  eclair: { armed: "yes", armBeforeExpiry: false },
  lease: { known: true, holderEclairInstanceId: "other", remainingSeconds: 12 },
  bitcoind: { known: true, blocks: 7 },
  record: { known: true, generation: 1, counter: 1 },
};
const active = { active: true, role: "active", reasons: [] };

type Shown = { cluster?: string; report?: object | undefined; boot?: NodeStatus["boot"]; reportedAt?: Date };

function node(
  name: string,
  { cluster = "demo", report, boot = booted, reportedAt = now }: Shown,
): NodeStatus {
  return {
    ...{ instanceId: `i-${name}`, name, cluster, instanceState: "running", imageId: "ami-1" },
    ...{ privateIp: "100.64.0.7", availabilityZone: "us-east-1a", targetHealth: ["healthy"], boot },
    ...(report !== undefined && {
      report: { ...standby, ...report } as unknown as InstanceReport,
      reportedAt: reportedAt.toISOString(),
    }),
  };
}

const shown = (...statuses: NodeStatus[]) => statusText(statuses, now);
const shownOne = (details: Shown) => shown(node("a", details));

test("a standby shows whether its Eclair is armed", () => {
  expect(shownOne({ report: {} })).toMatch(/standby[^]*another Eclair holds the lease[^]*(?<!not) armed /);
  expect(shownOne({ report: { eclair: { armed: "starting", armBeforeExpiry: false } } })).toMatch(
    / not armed yet /,
  );
  expect(shownOne({ report: { eclair: { armed: "no", armBeforeExpiry: true } } })).toContain(
    "arms shortly before the lease expires",
  );
});

test("an active instance shows that its record cannot be mirrored, and a standby does not", () => {
  const record = { known: false, reason: "the cluster record is gone" };
  expect(shownOne({ report: { ...active, record } })).toContain("the cluster record is gone");
  expect(shownOne({ report: { record } })).not.toContain("the cluster record is gone");
});

test("an instance shows the age of its last block, and how many blocks it is behind", () => {
  const withTip = (chainTip: object) => shownOne({ report: { chainTip } });
  expect(withTip({ ageSeconds: 725, behindBlocks: 0 })).toMatch(/ 12 min old /);
  expect(withTip({ ageSeconds: 725, behindBlocks: 0 })).not.toContain("behind");
  expect(withTip({ ageSeconds: 7_300, behindBlocks: 3 })).toMatch(/ 2 h old [^]* 3 blocks behind /);
  expect(withTip({ ageSeconds: -5, behindBlocks: 1 })).toMatch(/ 0 s old [^]* 1 block behind /);
  expect(withTip({ ageSeconds: 200_000 })).toMatch(/ 2 d old /);
  expect(shownOne({ report: {} })).not.toMatch(/ old |behind/);
});

test("an old report shows its age", () => {
  expect(shownOne({ report: {}, reportedAt: new Date(now.getTime() - 90_000) })).toContain(
    "(reported 90 s ago)",
  );
  expect(shownOne({ report: {} })).not.toContain("ago");
});

test("a failed boot is shown, for an instance with a report and for one without", () => {
  const boot = { message: "verify failed: database.login: refused", failed: true, final: true };
  expect(shownOne({ report: undefined, boot })).toContain("verify failed: database.login");
  expect(shownOne({ report: {}, boot })).toMatch(/standby[^]*verify failed: database.login/);
});

test("the instances are grouped by cluster, and each cluster shows its active instance and its next one", () => {
  const text = shown(
    node("c", { cluster: "other", report: active }),
    node("a", { report: active }),
    node("b", { report: {} }),
  );
  const [demo = "", other = ""] = text.split("\n\n");
  expect(demo).toMatch(/^cluster +demo\nnode id +02aa\nactive +a \(i-a\)\ntakes over +b \(i-b\)\n/);
  expect(demo).not.toContain("i-c");
  expect(other).toMatch(/^cluster +other\n[^]*takes over +no instance: the cluster has no standby\n/);
});

test("a cluster whose standby is not ready shows the reason", () => {
  const armed = { armed: "starting", armBeforeExpiry: false };
  expect(shown(node("a", { report: active }), node("b", { report: { eclair: armed } }))).toMatch(
    /takes over +no instance: b \(i-b\): its Eclair is not armed\n/,
  );
});

test("a cluster without an active instance shows which standby takes the free lease", () => {
  expect(shown(node("a", { report: {} }), node("b", { report: {} }))).toMatch(
    /active +no instance\ntakes over +one of a \(i-a\), b \(i-b\)\n/,
  );
});

test("a cluster whose reports cannot be read shows that its active instance is unknown", () => {
  expect(shownOne({ report: undefined })).toMatch(/active +unknown: no instance has sent a report\n/);
});

test("an active instance with an old report shows the age of the report", () => {
  const reportedAt = new Date(now.getTime() - 90_000);
  expect(shownOne({ report: active, reportedAt })).toMatch(
    /active +a \(i-a\), but its last report is 90 s old\n/,
  );
});
