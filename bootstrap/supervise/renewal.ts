import { isDeepStrictEqual } from "node:util";
import { logLine } from "../log.ts";
import type { BootRecord } from "../phases.ts";
import type { Role } from "./decide.ts";
import type { Eclairs } from "./eclairs.ts";
import { Means } from "./means.ts";
import { readBoot, readRendered } from "./rendered.ts";

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
   * @throws Error while a boot is at it
   */
  notice(): void {
    this.lastBoot = readBoot();
    this.inUse.see(this.lastBoot);
    this.later?.see(this.lastBoot);
    const { id } = readRendered();
    if (id === this.inUse.id) this.later = undefined;
    else if (id !== this.later?.id) this.later = this.read();
  }

  /** Whether nothing is lost by going by the next ones: what an Eclair runs, or is armed with, is kept for it. */
  isRipe({ open, armed }: Pick<Eclairs, "open" | "armed">, role: Role): boolean {
    if (this.later === undefined || this.isElsewhere || open !== undefined) return false;
    if (armed?.basis?.rendered !== this.inUse.id) return true;
    // One that is about to go on does so with what it knows; one that could not is of no use.
    return role !== "starting" && role !== "standby";
  }

  /** Goes by the next ones from now on. */
  renew(next: Means): void {
    this.worn.push(this.inUse);
    this.inUse = next;
    this.later = undefined;
    logLine("renewed", { by: `the boot of ${next.boot.startedAt}` });
  }

  /** Closes those that nothing uses any more. */
  async putAway(): Promise<void> {
    const { worn } = this;
    this.worn = [];
    for (const means of worn) await means.close();
  }

  private read(): Means {
    return new Means(readRendered(), readBoot(), () => this.later !== undefined);
  }
}
