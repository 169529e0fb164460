import { ChangeLog } from "../log.ts";
import type { ClusterTable } from "../record/table.ts";
import { boottime, moment } from "./clock.ts";
import type { InstanceState } from "./state.ts";

const everySeconds = 10;

/** Tells the cluster's table how this instance stands: at every change of its role, and every few seconds. */
export class Reporter {
  private readonly table: ClusterTable;
  private readonly instanceId: string;
  private told = "";
  private toldAt = -Infinity;
  private running: Promise<void> | undefined;
  private readonly trouble = new ChangeLog("report");

  constructor(table: ClusterTable, instanceId: string) {
    this.table = table;
    this.instanceId = instanceId;
  }

  /** Nobody waits for it: a table that can't be reached delays nothing. */
  tell(state: InstanceState): void {
    const { role, ready, active, eclair, record } = state;
    const gist = JSON.stringify([role, ready, active, eclair.armed, record.seen]);
    if (this.running !== undefined) return;
    if (gist === this.told && boottime() - this.toldAt < everySeconds) return;
    this.told = gist;
    this.toldAt = boottime();
    this.running = this.write(state).finally(() => {
      this.running = undefined;
    });
  }

  /** The last word. */
  async end(state: InstanceState): Promise<void> {
    await this.running;
    await this.write(state);
  }

  private async write(state: InstanceState): Promise<void> {
    try {
      await this.table.report(this.instanceId, state, new Date(), moment());
      this.trouble.clear();
    } catch (error) {
      this.trouble.fail(error);
    }
  }
}
