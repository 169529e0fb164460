import type { Target, TargetGroup } from "./configuration.ts";

/**
 * For how long new connections reach a target after its deregistration. A Network Load Balancer of AWS takes about two minutes:
 * https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366.
 */
const reachableSeconds = 6;

type TrackedTarget = {
  readonly target: Target;
  /** The end of the time after the deregistration; undefined while the target is registered. In seconds. */
  until?: number;
};

/** Deregistered targets that still receive new connections, also when their instance has ended since. */
export class DeregisteredTargets {
  private readonly groups = new Map<string, Map<string, TrackedTarget>>();
  private readonly isRunning: (instanceId: string) => boolean;
  private readonly now: () => number;

  constructor(
    isRunning: (instanceId: string) => boolean,
    now: () => number = () => performance.now() / 1000,
  ) {
    this.isRunning = isRunning;
    this.now = now;
  }

  /** @returns the group with the targets to which a load balancer sends connections now */
  reachable(group: TargetGroup): TargetGroup {
    const known = this.groups.get(group.name) ?? new Map<string, TrackedTarget>();
    this.groups.set(group.name, known);
    const keyOf = ({ id, port }: Target) => `${id} ${port}`;
    const registered = new Set(group.targets.map(keyOf));
    for (const target of group.targets) known.set(keyOf(target), { target });
    for (const [key, entry] of known) {
      if (registered.has(key)) continue;
      // An instance that ends while it is registered is no target any more.
      entry.until ??= this.isRunning(entry.target.id) ? this.now() + reachableSeconds : -Infinity;
      if (entry.until <= this.now()) known.delete(key);
    }
    return { ...group, targets: [...known.values()].map(({ target }) => target) };
  }

  /** Forgets the groups that no load balancer uses any more. */
  keepGroups(names: readonly string[]): void {
    for (const name of this.groups.keys()) if (!names.includes(name)) this.groups.delete(name);
  }

  /** Whether the load balancers must be configured again, because the time of a target is over. */
  get isDue(): boolean {
    const now = this.now();
    return [...this.groups.values()].some((known) =>
      [...known.values()].some(({ until }) => until !== undefined && until <= now),
    );
  }
}
