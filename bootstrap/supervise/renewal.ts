import { isDeepStrictEqual } from "node:util";
import { logLine } from "../log.ts";
import type { BootRecord } from "../phases.ts";
import type { Role } from "./decide.ts";
import type { Eclairs } from "./eclairs.ts";
import { Means } from "./means.ts";
import { readBoot, readRendered } from "./rendered.ts";

/** A host that could not take over for so long may lack what only the next means know, such as a password. */
const hinderedSeconds = 30;

/** Which means a supervisor goes by, and which it will go by once it can do without the ones it has. */
export class Renewal {
  private inUse: Means;
  private later: Means | undefined;
  /** Those before, which what goes on at the moment may use still. */
  private worn: Means[] = [];
  private lastBoot = readBoot();

  constructor() {
    this.inUse = this.read();
  }

  /** The boot whose means are in use; a later one that has failed is what an operator wants to know of. */
  get boot(): BootRecord {
    return this.lastBoot.state === "failed" ? this.lastBoot : this.inUse.boot;
  }

  get means(): Means {
    return this.inUse;
  }

  /** Of what a later boot has rendered; not in use yet. */
  get next(): Means | undefined {
    return this.later;
  }

  /** The next ones name another place for the database: gates that stand before this one are of no use with them. */
  get isElsewhere(): boolean {
    return this.later !== undefined && !isDeepStrictEqual(this.later.place, this.inUse.place);
  }

  /**
   * Looks whether another boot has rendered anything else.
   * @throws Error when one came to its end in the middle of that
   */
  notice(): void {
    this.lastBoot = readBoot();
    // While it runs, what is there may not belong together.
    if (this.lastBoot.state === "running") return;
    const { id } = readRendered();
    this.inUse.see(this.lastBoot, id);
    this.later?.see(this.lastBoot, id);
    if (id === this.inUse.id) this.later = undefined;
    else if (id !== this.later?.id) this.later = this.read();
  }

  /** Of what was rendered: an Eclair that was started with anything else is known to nobody. */
  get ids(): readonly string[] {
    return [this.inUse, this.later].flatMap((means) => means?.id ?? []);
  }

  /**
   * Whether nothing is lost by going by the next ones: what an Eclair runs, or is armed with, is kept for it.
   * @param forSeconds how long the host has been in that role
   */
  isRipe({ open, armed }: Pick<Eclairs, "open" | "armed">, role: Role, forSeconds: number): boolean {
    if (this.later === undefined || this.isElsewhere || open !== undefined) return false;
    if (armed?.basis?.rendered !== this.inUse.id) return true;
    // One that is about to go on does so with what it knows; one that could not for long may be what hinders it.
    return role === "waiting" && forSeconds > hinderedSeconds;
  }

  /** Goes by the next ones from now on. */
  renew(next: Means): void {
    this.worn.push(this.inUse);
    this.inUse = next;
    this.later = undefined;
    logLine("renewed", { by: `the boot of ${next.boot.startedAt}` });
  }

  /** Closes those that nothing uses any more. */
  putAway(): void {
    const { worn } = this;
    this.worn = [];
    // A database that is gone would be waited for without end.
    for (const means of worn) void means.close();
  }

  private read(): Means {
    return new Means(readRendered(), readBoot(), () => (this.later ?? this.inUse).rendered);
  }
}
