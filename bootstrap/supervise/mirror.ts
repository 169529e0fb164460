import { messageOf } from "../failure.ts";
import { explainTable } from "../record/failures.ts";
import { isBehind, type DatabaseIdentity, type Progress } from "../record/record.ts";
import type { ClusterTable } from "../record/table.ts";
import { boottime } from "./clock.ts";
import type { NodeDatabase } from "./database.ts";
import type { Mirrored } from "./observation.ts";

const everySeconds = 5;

/**
 * While this host is active: raises the counter in the database, and only then writes what the database has come to
 * into the cluster record, so that the record is never ahead of a sound database.
 */
export class Mirror {
  private readonly table: ClusterTable;
  private readonly database: NodeDatabase;
  private readonly place: Omit<DatabaseIdentity, "id">;
  private readonly eclair: string;
  private at = -Infinity;
  private running: Promise<void> | undefined;
  /** How far the database had come when this supervisor last raised its counter. */
  private known: Progress | undefined;
  private last: Mirrored = { seen: false, why: "nothing was mirrored by this host yet" };
  private why: string | undefined;
  /** Of which Eclair a turn is: one that ends after its Eclair says nothing of the next. */
  private era = 0;

  constructor(
    table: ClusterTable,
    database: NodeDatabase,
    place: Omit<DatabaseIdentity, "id">,
    eclair: string,
  ) {
    this.table = table;
    this.database = database;
    this.place = place;
    this.eclair = eclair;
  }

  get seen(): Mirrored {
    return this.last;
  }

  /** The record names another database, or has come further: this one must no longer be used. */
  get superseded(): string | undefined {
    return this.why;
  }

  /** Begins a turn when it is time for one; nobody waits for it, so that a slow table delays nothing else. */
  whileActive(holder: string): void {
    if (this.running !== undefined || boottime() - this.at < everySeconds) return;
    this.at = boottime();
    this.running = this.turn(holder).finally(() => {
      this.running = undefined;
    });
  }

  /** What it knows is of the Eclair that ran; before the next one starts, the guard looks at record and database. */
  forget(): void {
    this.era += 1;
    this.why = undefined;
    this.known = undefined;
  }

  async end(): Promise<void> {
    await this.running;
  }

  private async turn(holder: string): Promise<void> {
    const { era } = this;
    try {
      const { seen, superseded } = await this.compare(holder, era);
      if (era !== this.era) return;
      if (seen !== undefined) this.last = seen;
      if (superseded !== undefined) this.why = superseded;
    } catch (error) {
      this.last = { seen: false, why: messageOf(error) };
    }
  }

  private async compare(
    holder: string,
    era: number,
  ): Promise<{ readonly seen?: Mirrored; readonly superseded?: string }> {
    // Before the counter is raised: a database that was rewound under a running Eclair would catch up otherwise.
    if (await this.wentBack())
      return { superseded: "the database is behind what it was before: it was rewound, or is a copy" };
    const progress = await this.database.raiseCounter(holder);
    const { binding, schemas } = await this.database.state();
    if (progress === undefined || binding === undefined)
      return { superseded: "the fence does not know this host's Eclair as the lease's latest holder" };
    const now = new Date();
    const lastRun = { version: this.eclair, schemas };
    const database = { ...this.place, id: binding.databaseId };
    if (era === this.era) this.known = progress;
    if (await this.onTable(() => this.table.mirror(database, progress, lastRun, now)))
      return { seen: { seen: true, ...progress, at: now.toISOString() } };
    // A record that is gone says nothing against this database; one that says otherwise does.
    if ((await this.onTable(() => this.table.record())) === undefined)
      return {
        seen: { seen: false, why: "the cluster record is gone: restore the table from its backup" },
      };
    return { superseded: "the cluster record names another database, or a later state of this one" };
  }

  /** Behind what this supervisor has seen itself, or, when it has seen nothing yet, behind the record. */
  private async wentBack(): Promise<boolean> {
    this.known ??= (await this.onTable(() => this.table.record()))?.progress;
    const { progress } = await this.database.state();
    return this.known !== undefined && progress !== undefined && isBehind(progress, this.known);
  }

  private async onTable<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      throw explainTable(error, this.table.name, this.table.cluster);
    }
  }
}
