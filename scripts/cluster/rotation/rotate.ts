import { randomUUID } from "node:crypto";
import type { ClusterSetup } from "../../../bootstrap/contract/configuration/cluster-setup.ts";
import { EclairAmiError } from "../../../bootstrap/contract/errors.ts";
import type { ClusterTable } from "../../../bootstrap/contract/record/table.ts";
import {
  isInProgress,
  rotationLifetimeSeconds,
  type Rotation,
  type RotationKind,
} from "../../../bootstrap/contract/requests/rotation.ts";
import type { Target } from "../../target/target.ts";
import { plannedOutages, requireCurrentBudget } from "../budget/require.ts";
import { runClusterSetup, type SetupInstance } from "../cluster-setup.ts";
import { nodeStatuses, type NodeStatus } from "../status.ts";
import { chooseStandby, outageOf, switchOver } from "../switchover.ts";
import { currentVersionOf } from "./current-version.ts";
import { inProgress, inUse, noActive, noStandby, otherRotation } from "./errors.ts";
import {
  activeOf,
  activeWithVersion,
  onlyInstance,
  requireCurrentVersion,
  usesVersion,
} from "./instances.ts";
import { promote, requireOwnVersions } from "./promote.ts";
import { waitForInstances, waitMilliseconds } from "./wait.ts";

const noConsent = { createSecrets: false, walletRetained: false };

export type RotationStep =
  | { readonly step: "warning"; readonly text: string }
  | { readonly step: "resumed"; readonly from: Rotation["step"] }
  | { readonly step: "prepared"; readonly versionId: string }
  | { readonly step: "install"; readonly rpcauth: string }
  | { readonly step: "tested"; readonly instanceId: string }
  | { readonly step: "promoted"; readonly versionId: string }
  | { readonly step: "switched-over"; readonly instanceId: string; readonly durationMs: number }
  | { readonly step: "restarted"; readonly instanceId: string }
  | { readonly step: "finished"; readonly kind: RotationKind; readonly changed: readonly string[] };

export type RotationWanted = {
  readonly kind: RotationKind;
  /** The name or the ARN of the secret that contains the login. */
  readonly secret: string;
  readonly setup: ClusterSetup;
  /** The short-lived instance, which alone sees the login of the database's owner and the new password. */
  readonly instance: SetupInstance;
  readonly requestedBy: string;
  readonly ignoreBudget: boolean;
  /** The operator accepts that the only instance of the cluster starts its Eclair again. */
  readonly restart: boolean;
  readonly signal: AbortSignal;
  readonly onStep: (step: RotationStep) => void;
};

/**
 * Rotates a login while the node serves: the next login is stored as a pending version, a standby arms an Eclair with it, the version
 * becomes the current one, the node is switched over, and the previous login ends when no instance uses it. Each step is stored,
 * and a rotation that was interrupted continues where it was.
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
    let rotation = (await this.resume()) ?? (await this.begin());
    if ((await this.requireUnchanged(rotation)) === "pending") rotation = await this.test(rotation);
    if (rotation.step !== "promoted") rotation = await this.promote(rotation);
    rotation = await this.moveActive(rotation);
    await this.wait(rotation, "every instance to use the new login", (statuses) =>
      statuses.every((status) => usesVersion(status, rotation)) ? activeOf(statuses) : undefined,
    );
    // Eclair's previous API password ended with that Eclair. A bitcoind's previous password is the operator's to remove.
    const { changed } =
      rotation.kind === "database"
        ? await this.setUp("finish-rotation", rotation.versionId)
        : { changed: [] as string[] };
    await this.advance(rotation, { ...rotation, step: "finished" });
    this.wanted.onStep({ step: "finished", kind: rotation.kind, changed });
  }

  /**
   * The rotation of this secret that an earlier run did not finish.
   * @throws EclairAmiError `rotation.in-progress` when it changes another secret
   */
  private async unfinished(): Promise<Rotation | undefined> {
    const rotation = await this.table.rotations.read();
    if (rotation === undefined || !isInProgress(rotation)) return undefined;
    const { kind, secret } = this.wanted;
    const { arn } = await currentVersionOf(this.target, secret);
    if (rotation.kind === kind && rotation.secretArn === arn) return rotation;
    throw otherRotation(this.table.cluster, rotation);
  }

  /** Continues the rotation of an earlier run, when what it was based on is still true. */
  private async resume(): Promise<Rotation | undefined> {
    const rotation = await this.unfinished();
    if (rotation === undefined) return undefined;
    this.wanted.onStep({ step: "resumed", from: rotation.step });
    // The login may be missing: the database may be another one than before.
    if ((await this.requireUnchanged(rotation)) === "pending") await this.setUp("prepare-rotation");
    return rotation;
  }

  /** Gives up the rotation of an earlier run, before the active instance uses the new login. */
  async abandon(): Promise<Rotation | undefined> {
    const rotation = await this.unfinished();
    if (rotation === undefined) return undefined;
    if (activeWithVersion(await this.statuses(), rotation) !== undefined)
      throw inUse(this.table.cluster, rotation);
    return await this.advance(rotation, { ...rotation, step: "abandoned" });
  }

  /**
   * @returns the stage of the new version
   * @throws EclairAmiError `rotation.secret-changed`, and abandons the rotation
   */
  private async requireUnchanged(rotation: Rotation): Promise<"pending" | "current"> {
    try {
      return await requireOwnVersions(this.target, rotation);
    } catch (error) {
      if (error instanceof EclairAmiError && error.code === "rotation.secret-changed")
        await this.advance(rotation, { ...rotation, step: "abandoned" });
      throw error;
    }
  }

  private async begin(): Promise<Rotation> {
    const statuses = await this.statuses();
    if (activeOf(statuses) === undefined) throw noActive(this.table.cluster);
    await this.requireBudget();
    if (onlyInstance(statuses) !== undefined) this.requireRestart();
    else chooseStandby(statuses, { to: undefined, force: false, now: new Date() });
    await requireCurrentVersion(this.target, this.wanted.kind, this.wanted.secret, statuses);
    const { rotation } = await this.setUp("prepare-rotation");
    if (rotation === undefined) throw new Error("the cluster setup returned no version");
    const now = new Date();
    const request: Rotation = {
      ...rotation,
      id: randomUUID(),
      kind: this.wanted.kind,
      requestedBy: this.wanted.requestedBy,
      expiresAt: new Date(now.getTime() + rotationLifetimeSeconds * 1000).toISOString(),
      step: "testing",
    };
    if (!(await this.table.rotations.put(request, now))) throw inProgress(this.table.cluster);
    this.wanted.onStep({ step: "prepared", versionId: request.versionId });
    return request;
  }

  /** An Eclair is armed with the new login, or runs with it, before the new version becomes the current one. */
  private async test(rotation: Rotation): Promise<Rotation> {
    const { onStep } = this.wanted;
    if (rotation.rpcauth !== undefined) onStep({ step: "install", rpcauth: rotation.rpcauth });
    const statuses = await this.statuses();
    if (activeWithVersion(statuses, rotation) !== undefined) return rotation;
    const only = onlyInstance(statuses);
    if (only !== undefined) {
      this.requireRestart();
      // The cluster setup has tested a login of the database. A password of the API needs no test.
      return rotation.kind === "bitcoind" ? await this.restart(rotation, only) : rotation;
    }
    // A standby with the new login may have taken over.
    const { instanceId } = await this.wait(
      rotation,
      "a standby to arm an Eclair with the new login",
      (current) => activeWithVersion(current, rotation) ?? this.readyStandby(current, rotation),
    );
    onStep({ step: "tested", instanceId });
    return rotation;
  }

  private async promote(rotation: Rotation): Promise<Rotation> {
    await this.requireUnchanged(rotation);
    await promote(this.target, rotation);
    const promoted = await this.advance(rotation, { ...rotation, step: "promoted" });
    this.wanted.onStep({ step: "promoted", versionId: rotation.versionId });
    return promoted;
  }

  /** Makes the node run with the new login. */
  private async moveActive(rotation: Rotation): Promise<Rotation> {
    const statuses = await this.statuses();
    if (activeWithVersion(statuses, rotation) !== undefined) return rotation;
    const only = onlyInstance(statuses);
    if (only !== undefined) {
      this.requireRestart();
      return await this.restart(rotation, only);
    }
    // A standby with the new login may take over in the meantime.
    await this.wait(
      rotation,
      "a standby with the new login",
      (current) => activeWithVersion(current, rotation) ?? this.readyStandby(current, rotation),
    );
    await this.requireBudget();
    const current = await this.statuses();
    if (activeWithVersion(current, rotation) !== undefined) return rotation;
    const to = this.readyStandby(current, rotation)?.instanceId;
    const participants = chooseStandby(current, { to, force: false, now: new Date() });
    const result = await switchOver(this.table, participants, this.wanted.requestedBy, () => undefined);
    const { instanceId } = participants.to;
    this.wanted.onStep({ step: "switched-over", instanceId, durationMs: outageOf(result) });
    return rotation;
  }

  /** The only instance boots again with the new login, and starts its Eclair again. */
  private async restart(rotation: Rotation, { instanceId }: NodeStatus): Promise<Rotation> {
    await this.requireBudget();
    const restartUntil = new Date(Date.now() + waitMilliseconds[this.target.name]).toISOString();
    const restarting = await this.advance(rotation, {
      ...rotation,
      step: "restarting",
      instanceId,
      restartUntil,
    });
    await this.wait(restarting, "the active instance to use the new login", (statuses) =>
      activeWithVersion(statuses, rotation),
    );
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

  private async requireBudget(): Promise<void> {
    if (this.wanted.ignoreBudget) return;
    const warning = await requireCurrentBudget(() => this.statuses(), plannedOutages.rotation);
    if (warning !== undefined) this.wanted.onStep({ step: "warning", text: warning });
  }

  private async advance(before: Rotation, after: Rotation): Promise<Rotation> {
    if (await this.table.rotations.advance(before, after)) return after;
    throw inProgress(this.table.cluster);
  }

  private async setUp(action: "prepare-rotation" | "finish-rotation", secretVersionId?: string) {
    const { kind, secret, setup, instance, signal } = this.wanted;
    const task = { ...noConsent, action, rotates: { kind, secret }, secretVersionId };
    return await runClusterSetup(this.target, setup, task, instance, signal);
  }

  private statuses(): Promise<NodeStatus[]> {
    return nodeStatuses(this.target, { table: this.table.name, cluster: this.table.cluster });
  }

  /** Waits for the instances while the secret stays as this rotation knows it. */
  private async wait(
    rotation: Rotation,
    description: string,
    find: (statuses: readonly NodeStatus[]) => NodeStatus | undefined,
  ): Promise<NodeStatus> {
    const { target, wanted } = this;
    const read = async () => {
      await this.requireUnchanged(rotation);
      return await this.statuses();
    };
    return await waitForInstances(
      { target, statuses: read, rotation, signal: wanted.signal },
      description,
      find,
    );
  }

  private requireRestart(): void {
    if (!this.wanted.restart) throw noStandby(this.table.cluster);
  }
}
