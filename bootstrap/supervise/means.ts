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
  /** Of what was rendered. */
  readonly id: string;
  readonly node: NodeRecord;
  readonly secrets: SupervisorSecrets;
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

  /** @param isRenewing whether what a later boot has rendered is not in use yet */
  constructor(rendered: Rendered, boot: BootRecord, isRenewing: () => boolean) {
    const { id, node, secrets } = rendered;
    const { configuration } = node;
    const { database } = configuration;
    this.id = id;
    this.node = node;
    this.secrets = secrets;
    this.place = { host: database.host, port: database.port, name: database.name };
    this.rpc = bitcoindRpc(configuration, secrets.supervisor);
    this.wallet = new NodeWallet(configuration, secrets.watched, this.rpc);
    const ca = readFileSync(places.databaseCa, "utf8");
    this.leases = new NodeDatabase({ database, login: secrets.database, ca });
    this.database = new NodeDatabase({ database, login: secrets.database, ca });
    const table = clusterTable(node, impatient);
    this.guard = new StartGuard(expectedOf(node), configuration, table, this.database);
    this.mirror = new Mirror(table, this.database, this.place, node.eclair);
    this.outside = new Outside(rendered, table, isRenewing);
    this.watchdog = new Watchdog(database.leaseSeconds);
    this.lastBoot = boot;
  }

  /** The boot that has rendered it. */
  get boot(): BootRecord {
    return this.lastBoot;
  }

  /** Takes in how far the last boot has come, when it is this one's. */
  see(boot: BootRecord): void {
    if (boot.startedAt === this.lastBoot.startedAt) this.lastBoot = boot;
  }

  async close(): Promise<void> {
    await this.mirror.end();
    await Promise.all([this.leases.close(), this.database.close()]);
  }
}
