import type { DoorLimits } from "./limits.ts";
import type { Passage } from "./passage.ts";

/** The connections of one side without an answer of Eclair, and how many there may be. */
export class PendingLimits {
  private readonly all = new Set<Passage>();
  private readonly bySource = new Map<string, Set<Passage>>();
  private readonly limits: Pick<DoorLimits, "pending" | "pendingPerSource">;
  private readonly isReplaceable: (passage: Passage) => boolean;

  /** @param isReplaceable whether a new connection may take the place of this one */
  constructor(
    limits: Pick<DoorLimits, "pending" | "pendingPerSource">,
    isReplaceable: (passage: Passage) => boolean,
  ) {
    this.limits = limits;
    this.isReplaceable = isReplaceable;
  }

  add(passage: Passage): void {
    this.all.add(passage);
    const ofSource = this.bySource.get(passage.source) ?? new Set();
    this.bySource.set(passage.source, ofSource.add(passage));
  }

  delete(passage: Passage): void {
    this.all.delete(passage);
    const ofSource = this.bySource.get(passage.source);
    ofSource?.delete(passage);
    if (ofSource?.size === 0) this.bySource.delete(passage.source);
  }

  /**
   * The connection that makes room for a new one: the oldest that may be replaced, else the new one.
   * @returns undefined when there is room for all
   */
  surplus(newcomer: Passage): Passage | undefined {
    const ofSource = this.bySource.get(newcomer.source) ?? new Set();
    if (ofSource.size > this.limits.pendingPerSource) return this.oldestReplaceable(ofSource, newcomer);
    if (this.all.size > this.limits.pending) return this.oldestReplaceable(this.all, newcomer);
    return undefined;
  }

  private oldestReplaceable(passages: Iterable<Passage>, newcomer: Passage): Passage {
    for (const passage of passages) if (this.isReplaceable(passage)) return passage;
    return newcomer;
  }
}
