import { readFileSync } from "node:fs";
import { expectedOf, type NodeRecord } from "../node-record.ts";
import type { BootRecord } from "../phases.ts";
import { places } from "../places.ts";
import { clusterTable, impatient } from "../record/open.ts";
import type { DatabaseIdentity } from "../record/record.ts";
import type { SupervisorSecrets } from "../secrets/supervisor.ts";
import { NodeDatabase } from "./database.ts";
import { StartGuard } from "./guard.ts";
import { Mirror } from "./mirror.ts";
import { Outside } from "./outside.ts";
import type { Rendered } from "./rendered.ts";
import { bitcoindRpc, type Rpc } from "./rpc.ts";
import { NodeWallet } from "./wallet.ts";
import { Watchdog } from "./watchdog.ts";

/** What a supervisor works with, all of it made from what one boot has rendered. */
export class Means {
  readonly rendered: Rendered;
  /** Where the database is. */
  readonly place: Omit<DatabaseIdentity, "id">;
  readonly rpc: Rpc;
  readonly wallet: NodeWallet;
  /** For the lease alone, so that nothing else delays it. */
  readonly leases: NodeDatabase;
  readonly database: NodeDatabase;
  readonly guard: StartGuard;
  readonly mirror: Mirror;
  readonly outside: Outside;
  readonly watchdog: Watchdog;
  private lastBoot: BootRecord;

  /** @param latest what the last boot that came so far has rendered, in use or not */
  constructor(rendered: Rendered, boot: BootRecord, latest: () => Rendered) {
    const { node, secrets } = rendered;
    const { configuration } = node;
    const { database } = configuration;
    this.rendered = rendered;
    this.place = { host: database.host, port: database.port, name: database.name };
    this.rpc = bitcoindRpc(configuration, secrets.supervisor);
    this.wallet = new NodeWallet(configuration, secrets.watched, this.rpc);
    const ca = readFileSync(places.databaseCa, "utf8");
    this.leases = new NodeDatabase({ database, login: secrets.database, ca });
    this.database = new NodeDatabase({ database, login: secrets.database, ca });
    const table = clusterTable(node, impatient);
    this.guard = new StartGuard(expectedOf(node), configuration, table, this.database);
    this.mirror = new Mirror(table, this.database, this.place, node.eclair);
    this.outside = new Outside(node, table, latest);
    this.watchdog = new Watchdog(database.leaseSeconds);
    this.lastBoot = boot;
  }

  /** Of what was rendered. */
  get id(): string {
    return this.rendered.id;
  }

  get node(): NodeRecord {
    return this.rendered.node;
  }

  get secrets(): SupervisorSecrets {
    return this.rendered.secrets;
  }

  /** The boot that has rendered it, or rendered the same again. */
  get boot(): BootRecord {
    return this.lastBoot;
  }

  /**
   * Takes in how far the last boot has come, when it is this one's.
   * @param id of what it has rendered
   */
  see(boot: BootRecord, id: string): void {
    const again = id === this.id && boot.state === "done";
    if (again || boot.startedAt === this.lastBoot.startedAt) this.lastBoot = boot;
  }

  async close(): Promise<void> {
    await this.mirror.end();
    await Promise.all([this.leases.close(), this.database.close()]);
  }
}
