import { isDeepStrictEqual } from "node:util";
import type { BootStatus } from "../../contract/reports/boot.ts";
import type { Role } from "../../contract/reports/instance.ts";
import type { EclairProcesses } from "../../eclair/processes.ts";
import { logEvent } from "../../os/log.ts";
import { readBootStatus, readRendered } from "../../render/rendered.ts";
import { NodeContext } from "../context/node-context.ts";
import { driftDetector } from "./drift-detector.ts";

/** A host that could not take over for this time may need something that only the next context has, such as a password. */
const blockedSeconds = 30;

/** Holds the context that the supervisor uses, and the next context until the supervisor can switch to it. */
export class ContextReloader {
  private current: NodeContext;
  private pending: NodeContext | undefined;
  /** Contexts that an operation in progress may still use. */
  private retired: NodeContext[] = [];
  private lastBootStatus = readBootStatus();

  constructor() {
    this.current = this.read();
  }

  /** The boot of the context in use. A later boot that failed has priority: an operator needs to see it. */
  get boot(): BootStatus {
    return this.lastBootStatus.state === "failed" ? this.lastBootStatus : this.current.boot;
  }

  get context(): NodeContext {
    return this.current;
  }

  /** The context of a later boot; not in use yet. */
  get next(): NodeContext | undefined {
    return this.pending;
  }

  /** The next context needs another supervisor: the gates lead to the current database, and the door has the current ports. */
  get needsRestart(): boolean {
    const { pending, current } = this;
    if (pending === undefined) return false;
    const fixed = ({ endpoint, node }: NodeContext) => [endpoint, node.configuration.door];
    return !isDeepStrictEqual(fixed(pending), fixed(current));
  }

  /**
   * Checks whether another boot rendered other files.
   * @throws Error when a boot ended while it wrote the files
   */
  poll(): void {
    this.lastBootStatus = readBootStatus();
    // While a boot runs, the files can belong to different boots.
    if (this.lastBootStatus.state === "running") return;
    const { id } = readRendered();
    this.current.adoptBootStatus(this.lastBootStatus, id);
    this.pending?.adoptBootStatus(this.lastBootStatus, id);
    if (id === this.current.renderedId) this.pending = undefined;
    else if (id !== this.pending?.renderedId) this.pending = this.read();
  }

  /** Ids of the rendered files of both contexts. An Eclair with other files is outdated. */
  get renderedIds(): readonly string[] {
    return [this.current, this.pending].flatMap((context) => context?.renderedId ?? []);
  }

  /**
   * Whether the supervisor can switch to the next context. An Eclair that runs, or is armed, with the files of the current
   * context still needs the current context.
   * @param roleSeconds how long the host has had this role
   */
  canSwitch(
    { open, armed }: Pick<EclairProcesses, "open" | "armed">,
    role: Role,
    roleSeconds: number,
  ): boolean {
    if (this.pending === undefined || this.needsRestart || open !== undefined) return false;
    if (armed?.armInputs?.rendered !== this.current.renderedId) return true;
    // The armed Eclair may be about to take over. On a host that has waited for a long time, its old inputs may be the cause.
    return role === "waiting" && roleSeconds > blockedSeconds;
  }

  switchTo(next: NodeContext): void {
    this.retired.push(this.current);
    this.current = next;
    this.pending = undefined;
    logEvent("context.reloaded", { bootStartedAt: next.boot.startedAt });
  }

  /** Closes the contexts that nothing uses any more. */
  closeRetired(): void {
    const { retired } = this;
    this.retired = [];
    // A computation of the budget that is in progress can take minutes.
    for (const context of retired) void context.retire();
  }

  private read(): NodeContext {
    const latest = () => (this.pending ?? this.current).rendered;
    return new NodeContext(readRendered(), readBootStatus(), driftDetector(latest));
  }
}
