import { GroupMembership } from "../../aws/auto-scaling.ts";
import type { ClusterTable } from "../../contract/record/table.ts";
import type { BlockId } from "../../contract/reports/bitcoind.ts";
import type { InstanceReport } from "../../contract/reports/instance.ts";
import { readTargetLifecycleState } from "../../imds/read.ts";
import type { Credentials } from "../../secrets/shapes.ts";
import type { BootedNode } from "../../render/booted-node.ts";
import type { OtherBitcoinds } from "../chain/chain-health.ts";
import { ActiveChain } from "../chain/snapshot/active-chain.ts";
import { chainHost } from "../chain/snapshot/chain-host.ts";
import { ChainSnapshotParticipant } from "../chain/snapshot/participant.ts";
import { GroupLifecycle, type HostHealth } from "../group/group-lifecycle.ts";
import { ClusterView } from "./cluster-view.ts";
import type { SecretVersions } from "../../contract/reports/secret-versions.ts";
import { rerunBoot } from "../../os/systemd.ts";
import { Reporter } from "../health/reporter.ts";
import { RotationParticipant } from "../rotation/participant.ts";
import { SwitchoverParticipant } from "../switchover/participant.ts";

/** What the duties of this host can require from the supervisor. */
export type SupervisorActions = {
  /** Stops Eclair, so that another host takes over. */
  readonly handOver: () => Promise<void>;
  /** Stops Eclair, and starts none any more. */
  readonly standDown: (reason: string) => Promise<void>;
  /** Leaves the target groups and closes the connections of the peers. */
  readonly disconnectPeers: () => Promise<void>;
  /** Whether this host can boot again without an effect on the node. */
  readonly isPassive: () => boolean;
  /** Whether the lease is not known to be free, and the host of its holder is not silent. */
  readonly isHolderFine: () => boolean;
  /** Whether an Eclair of this host is connected to the database. */
  readonly isActive: () => boolean;
  /** Whether an Eclair of this host took the lease last; undefined while the database cannot be read. */
  readonly isLastHolder: () => boolean | undefined;
  /** The versions of the secrets that the files of the last boot contain, in use or not. */
  readonly secretVersions: () => SecretVersions;
};

/** Compares secrets and user-data with the rendered files. */
export type DriftPoller = { readonly poll: (isPassive: () => boolean) => Promise<void> };

/**
 * The duties of this host outside the node: reports to the cluster table, switchovers, the Auto Scaling group, and the
 * comparison of secrets and user-data. Each duty has its own interval, and the supervisor waits for none of them.
 */
export class ClusterDuties {
  private readonly reporter: Reporter;
  private readonly switchover: SwitchoverParticipant;
  private readonly groupLifecycle: GroupLifecycle;
  /** Undefined without a local bitcoind. */
  private readonly chainSnapshot: ChainSnapshotParticipant | undefined;
  private readonly activeChain = new ActiveChain();
  private readonly driftDetector: DriftPoller;
  private readonly rotation: RotationParticipant;
  private readonly view: ClusterView;

  constructor(
    { configuration, identity, aws }: BootedNode,
    table: ClusterTable,
    driftDetector: DriftPoller,
    gateLogin: Credentials,
  ) {
    this.chainSnapshot =
      configuration.bitcoind.local === undefined
        ? undefined
        : new ChainSnapshotParticipant(table.chainSnapshots, identity.instanceId, chainHost(gateLogin));
    this.reporter = new Reporter(table, identity.instanceId);
    this.switchover = new SwitchoverParticipant(table.switchovers, identity.instanceId);
    this.groupLifecycle = new GroupLifecycle(
      new GroupMembership(aws, identity.instanceId),
      readTargetLifecycleState,
      configuration.failover.unhealthyAfterSeconds,
    );
    this.driftDetector = driftDetector;
    this.rotation = new RotationParticipant(table.rotations, identity.instanceId, rerunBoot);
    this.view = new ClusterView(table, identity.instanceId);
  }

  /** For each descriptor, the number of addresses that the bitcoinds of the other instances have issued. */
  get nextAddresses(): readonly number[] {
    return this.view.nextAddresses;
  }

  /** A block that is deep in the chain of the active instance, when another instance is active. */
  get settledBlock(): BlockId | undefined {
    return this.view.settledBlock;
  }

  /** Whether another instance is active, by its last report. */
  get isOtherActive(): boolean {
    return this.view.reports.some(({ active }) => active);
  }

  get otherBitcoinds(): OtherBitcoinds {
    return this.view.bitcoinds;
  }

  /** Reads the reports of the other instances now. */
  async readOthers(): Promise<readonly InstanceReport[]> {
    return await this.view.refresh();
  }

  /** The addresses of the other instances of the cluster. */
  get otherAddresses(): string[] {
    return this.view.addresses;
  }

  /** Whether the other instance with an address has a door. */
  readonly hasDoor = (address: string): boolean => this.view.hasDoor(address);

  /** Why this host leaves a free lease to another host for now. */
  get holdBackReason(): string | undefined {
    return this.switchover.holdBackReason ?? this.groupLifecycle.holdBackReason;
  }

  /** Whether a switchover is in progress: this host then knows facts that are stored nowhere else. */
  get isSwitchoverUnderWay(): boolean {
    return this.switchover.isUnderWay;
  }

  /** Whether a snapshot of the chain is in progress: this host then holds its bitcoind. */
  get isSnapshotUnderWay(): boolean {
    return this.chainSnapshot?.isUnderWay === true;
  }

  /** Why this host's bitcoind does not work at the moment. */
  get snapshotReason(): string | undefined {
    return this.chainSnapshot?.reason;
  }

  poll(report: InstanceReport, health: HostHealth, actions: SupervisorActions): void {
    void this.switchover.poll(report, actions.handOver);
    this.activeChain.observe(this.view.reports);
    void this.chainSnapshot?.poll({
      isReadyStandby: report.role === "standby" && report.ready,
      isHolderFine: () => !actions.isActive() && actions.isHolderFine() && !this.activeChain.isBroken,
    });
    void this.view.poll();
    void this.groupLifecycle.poll(health, {
      isActive: actions.isActive(),
      isLastHolder: actions.isLastHolder(),
      handOver: actions.handOver,
      hasReadyStandby: this.view.hasReadyStandby,
      standDown: () => actions.standDown("the Auto Scaling group terminates the instance"),
      disconnectPeers: actions.disconnectPeers,
    });
    void this.driftDetector.poll(actions.isPassive);
    void this.rotation.poll(report, actions);
    this.reporter.report(report);
  }

  async reportFinal(report: InstanceReport): Promise<void> {
    await this.reporter.reportFinal(report);
  }
}
