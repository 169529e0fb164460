import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { messageOf } from "../failure.ts";
import { logLine } from "../log.ts";
import { places } from "../places.ts";
import type { NodeDatabase } from "./database.ts";

/** The lease of an Eclair that has ended on this host: free at once, and not only when it has run out. */
export class LeftLease {
  private readonly leases: () => Pick<NodeDatabase, "release">;
  private readonly path: string;
  /** Who held it, until it is known to be free. */
  private holder: string | undefined;

  constructor(leases: () => Pick<NodeDatabase, "release">, path: string = places.holder) {
    this.leases = leases;
    this.path = path;
  }

  /** Takes up what a supervisor before this one, if there was one, has left; its Eclairs must have ended. */
  begin(): void {
    if (existsSync(this.path)) this.holder = readFileSync(this.path, "utf8");
  }

  /** To be called before an Eclair can take the lease, so that a supervisor after this one could give it back. */
  remember(holder: string): void {
    writeFileSync(this.path, holder, { mode: 0o600 });
  }

  /** An Eclair that could have taken it is gone. */
  leave(holder: string): void {
    this.holder = holder;
    void this.giveBack();
  }

  /** Until it is known to be free; anybody else's stays as it is. */
  async giveBack(): Promise<void> {
    const { holder } = this;
    if (holder === undefined) return;
    try {
      const released = await this.leases().release(holder);
      if (this.holder !== holder) return;
      this.holder = undefined;
      // Another Eclair may have been let go since.
      if (existsSync(this.path) && readFileSync(this.path, "utf8") === holder) rmSync(this.path);
      if (released) logLine("released", { eclair: holder });
    } catch (error) {
      logLine("release", { eclair: holder, failed: messageOf(error) });
    }
  }
}
