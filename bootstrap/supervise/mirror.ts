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
  private last: Mirrored = { seen: false, why: "this host was not active yet" };
  /** The record names another database, or has come further: this one must no longer be used. */
  superseded: string | undefined;

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
    this.superseded = undefined;
    this.known = undefined;
  }

  async end(): Promise<void> {
    await this.running;
  }

  private async turn(holder: string): Promise<void> {
    try {
      // Before the counter is raised: a database that was rewound under a running Eclair would catch up otherwise.
      if (await this.wentBack()) {
        this.superseded = "the database is behind what it was before: it was rewound, or is a copy";
        return;
      }
      const progress = await this.database.raiseCounter(holder);
      const { binding, schemas } = await this.database.state();
      if (progress === undefined || binding === undefined) {
        this.superseded = "the fence does not know this host's Eclair as the lease's latest holder";
        return;
      }
      const now = new Date();
      const lastRun = { version: this.eclair, schemas };
      const database = { ...this.place, id: binding.databaseId };
      this.known = progress;
      if (await this.onTable(() => this.table.mirror(database, progress, lastRun, now)))
        this.last = { seen: true, ...progress, at: now.toISOString() };
      else await this.whyNot();
    } catch (error) {
      this.last = { seen: false, why: messageOf(error) };
    }
  }

  /** Behind what this supervisor has seen itself, or, when it has seen nothing yet, behind the record. */
  private async wentBack(): Promise<boolean> {
    this.known ??= (await this.onTable(() => this.table.record()))?.progress;
    const { progress } = await this.database.state();
    return this.known !== undefined && progress !== undefined && isBehind(progress, this.known);
  }

  /** A record that is gone says nothing against this database; one that says otherwise does. */
  private async whyNot(): Promise<void> {
    if ((await this.onTable(() => this.table.record())) === undefined)
      this.last = { seen: false, why: "the cluster record is gone: restore the table from its backup" };
    else this.superseded = "the cluster record names another database, or a later state of this one";
  }

  private async onTable<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      throw explainTable(error, this.table.name, this.table.cluster);
    }
  }
}
