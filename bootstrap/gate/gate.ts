import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Where the database is, by its own name. */
export type Upstream = { readonly host: string; readonly port: number };

/** A host that is gone says nothing: the connection is given up when probes stay unanswered. */
const keepAliveMilliseconds = 5_000;

/**
 * A TCP pass-through in front of the database for one Eclair process. While it is closed it accepts connections and
 * passes nothing on; open, it passes bytes both ways and looks at none: TLS is between Eclair and the database.
 */
export class Gate {
  private readonly upstream: Upstream;
  private readonly server: Server;
  private readonly clients = new Set<Socket>();
  private readonly held = new Set<Socket>();
  private opened = false;
  /** Called when the last connection of the process has ended: it may have died. */
  onEmpty: () => void = () => undefined;
  /** Called when the process has come to its first connection, and waits. */
  onWaiting: () => void = () => undefined;

  constructor(upstream: Upstream) {
    this.upstream = upstream;
    this.server = createServer({ noDelay: true, keepAlive: true }, (client) => this.accept(client));
  }

  async listen(address: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(port, address, resolve);
    });
  }

  address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  /** Whether a process has come as far as its first connection and waits. */
  get waiting(): boolean {
    return this.held.size > 0;
  }

  get isOpen(): boolean {
    return this.opened;
  }

  /** From now on the process reaches the database, with what it has said already. */
  open(): void {
    this.opened = true;
    for (const client of this.held) this.pass(client);
    this.held.clear();
  }

  /** Ends every connection at once, in both directions, and passes nothing on any more. */
  cut(): void {
    this.opened = false;
    this.held.clear();
    for (const client of this.clients) client.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private accept(client: Socket): void {
    this.clients.add(client);
    client.on("error", () => undefined);
    client.on("close", () => {
      this.clients.delete(client);
      this.held.delete(client);
      if (this.clients.size === 0) this.onEmpty();
    });
    if (this.opened) this.pass(client);
    else {
      client.pause();
      this.held.add(client);
      this.onWaiting();
    }
  }

  private pass(client: Socket): void {
    const { host, port } = this.upstream;
    const database = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMilliseconds,
    });
    // Whatever ends one side ends the other; which error it was is Eclair's to tell.
    database.on("error", () => undefined);
    database.on("close", () => client.destroy());
    client.on("close", () => database.destroy());
    client.pipe(database);
    database.pipe(client);
  }
}
