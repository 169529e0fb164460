import { randomUUID } from "node:crypto";
import type { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { ClusterTable } from "../../../bootstrap/contract/record/table.ts";
import { finalSteps, type Rotation } from "../../../bootstrap/contract/requests/rotation.ts";
import type { Target } from "../../target/target.ts";
import { plannedOutages, requireBudget } from "../budget/require.ts";
import { runClusterSetup, type SetupInstance } from "../cluster-setup.ts";
import { nodeStatuses, type NodeStatus } from "../status.ts";
import { chooseStandby, outageOf, switchOver } from "../switchover.ts";
import { activeOf, othersOf, requireCurrentVersion, usesVersion } from "./instances.ts";
import { promote } from "./promote.ts";
import { waitForInstances } from "./wait.ts";

const lifetimeMilliseconds = 24 * 3_600_000;
const noConsent = { createSecrets: false, walletRetained: false };

export type RotationStep =
  | { readonly step: "warning"; readonly text: string }
  | { readonly step: "resumed"; readonly from: Rotation["step"] }
  | { readonly step: "prepared"; readonly versionId: string }
  | { readonly step: "tested"; readonly instanceId: string }
  | { readonly step: "promoted"; readonly versionId: string }
  | { readonly step: "switched-over"; readonly instanceId: string; readonly durationMs: number }
  | { readonly step: "restarted"; readonly instanceId: string }
  | { readonly step: "finished"; readonly changed: readonly string[] };

export type RotationWanted = {
  readonly setup: ClusterSetup;
  /** The short-lived instance, which alone sees the login of the database's owner and the new password. */
  readonly instance: SetupInstance;
  readonly requestedBy: string;
  readonly ignoreBudget: boolean;
  readonly signal: AbortSignal;
  readonly onStep: (step: RotationStep) => void;
};

/**
 * Rotates the login of the runtime role while the node serves: the next login is created and stored as a pending version, a standby
 * arms an Eclair with it, the version becomes the current one, the node is switched over, and the previous login is disabled
 * when no instance uses it. Each step is stored, and a rotation that was interrupted continues where it was.
 */
export class Rotator {
  private readonly target: Target;
  private readonly table: ClusterTable;
  private readonly wanted: RotationWanted;

  constructor(target: Target, table: ClusterTable, wanted: RotationWanted) {
    this.target = target;
    this.table = table;
    this.wanted = wanted;
  }

  async run(): Promise<void> {
    let rotation = (await this.unfinished()) ?? (await this.begin());
    if (rotation.step === "testing") rotation = await this.testAndPromote(rotation);
    if (rotation.step === "promoted") rotation = await this.moveActive(rotation);
    await waitForInstances(this.context(rotation), "every instance to use the new login", (statuses) =>
      statuses.every((status) => usesVersion(status, rotation)) ? activeOf(statuses) : undefined,
    );
    const { changed } = await this.setUp("finish-rotation");
    await this.advance(rotation, { ...rotation, step: "finished" });
    this.wanted.onStep({ step: "finished", changed });
  }

  /** The rotation that an earlier run did not finish. */
  private async unfinished(): Promise<Rotation | undefined> {
    const rotation = await this.table.rotations.read();
    if (rotation === undefined || (finalSteps as readonly string[]).includes(rotation.step)) return undefined;
    this.wanted.onStep({ step: "resumed", from: rotation.step });
    return rotation;
  }

  private async begin(): Promise<Rotation> {
    const statuses = await this.statuses();
    const active = activeOf(statuses);
    if (active === undefined) throw noActive(this.table.cluster);
    this.requireBudget(statuses);
    if (othersOf(statuses, active).length > 0)
      chooseStandby(statuses, { to: undefined, force: false, now: new Date() });
    await requireCurrentVersion(this.target, this.wanted.setup.database.secret, statuses);
    const { rotation } = await this.setUp("prepare-rotation");
    if (rotation === undefined) throw new Error("the cluster setup returned no version");
    const { login: _, ...versions } = rotation;
    const now = new Date();
    const request: Rotation = {
      ...versions,
      id: randomUUID(),
      kind: "database",
      requestedBy: this.wanted.requestedBy,
      expiresAt: new Date(now.getTime() + lifetimeMilliseconds).toISOString(),
      step: "testing",
    };
    if (!(await this.table.rotations.put(request, now))) throw inProgress(this.table.cluster);
    this.wanted.onStep({ step: "prepared", versionId: request.versionId });
    return request;
  }

  /** Without a standby, the cluster setup alone has tested the login. */
  private async testAndPromote(rotation: Rotation): Promise<Rotation> {
    const { onStep } = this.wanted;
    const statuses = await this.statuses();
    if (othersOf(statuses, activeOf(statuses)).length > 0) {
      const tested = await waitForInstances(
        this.context(rotation),
        "a standby to arm an Eclair with the new login",
        (current) => this.readyStandby(current, rotation),
      );
      onStep({ step: "tested", instanceId: tested.instanceId });
    }
    try {
      await promote(this.target, rotation);
    } catch (error) {
      if (error instanceof EclairAmiError && error.code === "rotation.secret-changed")
        await this.advance(rotation, { ...rotation, step: "abandoned" });
      throw error;
    }
    onStep({ step: "promoted", versionId: rotation.versionId });
    return await this.advance(rotation, { ...rotation, step: "promoted" });
  }

  /** Makes the node run with the new login. */
  private async moveActive(rotation: Rotation): Promise<Rotation> {
    const statuses = await this.statuses();
    const active = activeOf(statuses);
    if (active === undefined || usesVersion(active, rotation)) return rotation;
    if (othersOf(statuses, active).length === 0) return await this.restart(rotation, active);
    const standby = await waitForInstances(
      this.context(rotation),
      "a standby with the new login",
      (current) => this.readyStandby(current, rotation),
    );
    const current = await this.statuses();
    this.requireBudget(current);
    const participants = chooseStandby(current, { to: standby.instanceId, force: false, now: new Date() });
    const result = await switchOver(this.table, participants, this.wanted.requestedBy, () => undefined);
    this.wanted.onStep({
      step: "switched-over",
      instanceId: standby.instanceId,
      durationMs: outageOf(result),
    });
    return rotation;
  }

  /** The only instance boots again with the new login, and starts its Eclair again. */
  private async restart(rotation: Rotation, { instanceId }: NodeStatus): Promise<Rotation> {
    this.requireBudget(await this.statuses());
    const restarting = await this.advance(rotation, { ...rotation, step: "restarting", instanceId });
    await waitForInstances(this.context(rotation), "the active instance to use the new login", (statuses) => {
      const active = activeOf(statuses);
      return active !== undefined && usesVersion(active, rotation) ? active : undefined;
    });
    this.wanted.onStep({ step: "restarted", instanceId });
    return restarting;
  }

  private readyStandby(statuses: readonly NodeStatus[], rotation: Rotation): NodeStatus | undefined {
    const fitting = statuses.filter((status) => usesVersion(status, rotation));
    const active = activeOf(statuses);
    if (active === undefined || fitting.length === 0) return undefined;
    try {
      return chooseStandby([active, ...fitting.filter((status) => status !== active)], {
        to: undefined,
        force: false,
        now: new Date(),
      }).to;
    } catch (error) {
      if (error instanceof EclairAmiError) return undefined;
      throw error;
    }
  }

  private requireBudget(statuses: readonly NodeStatus[]): void {
    if (this.wanted.ignoreBudget) return;
    const warning = requireBudget(statuses, plannedOutages.rotation, new Date());
    if (warning !== undefined) this.wanted.onStep({ step: "warning", text: warning });
  }

  private async advance(before: Rotation, after: Rotation): Promise<Rotation> {
    if (await this.table.rotations.advance(before, after)) return after;
    throw inProgress(this.table.cluster);
  }

  private async setUp(action: "prepare-rotation" | "finish-rotation") {
    const { setup, instance, signal } = this.wanted;
    return await runClusterSetup(this.target, setup, { ...noConsent, action }, instance, signal);
  }

  private statuses(): Promise<NodeStatus[]> {
    return nodeStatuses(this.target, { table: this.table.name, cluster: this.table.cluster });
  }

  private context(rotation: Rotation) {
    const { signal } = this.wanted;
    return { target: this.target, statuses: () => this.statuses(), rotation, signal };
  }
}

function noActive(cluster: string): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.no-standby",
    operation: `rotating the login of ${cluster}`,
    message: "no instance of the cluster is active",
    remedy: "start the node first: `eclair-ami status` shows why no instance is active",
  });
}

function inProgress(cluster: string): EclairAmiError {
  return new EclairAmiError({
    code: "rotation.in-progress",
    operation: `rotating the login of ${cluster}`,
    message: "another process rotates a login of this cluster",
    remedy:
      "wait until it has ended, and run this command again, which continues a rotation that is not finished",
  });
}
