import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** The database's own host name and port. */
export type Upstream = { readonly host: string; readonly port: number };

/** When TCP keep-alive probes remain unanswered, the connection ends: a lost host sends nothing. */
const keepAliveMilliseconds = 5_000;

/**
 * A TCP pass-through in front of the database, for one Eclair process. A closed gate accepts connections and forwards
 * nothing. An open gate forwards bytes in both directions and does not read them: TLS is between Eclair and the database.
 */
export class Gate {
  private readonly upstream: Upstream;
  private readonly server: Server;
  private readonly clients = new Set<Socket>();
  private readonly held = new Set<Socket>();
  private opened = false;
  /** Called when the last connection of the process ended: the process may have ended. */
  onEmpty: () => void = () => undefined;
  /** Called when the process reached its first connection and waits. */
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

  /** Whether a process waits at its first connection. */
  get waiting(): boolean {
    return this.held.size > 0;
  }

  get isOpen(): boolean {
    return this.opened;
  }

  /** Connects the process to the database, and forwards the bytes that it sent already. */
  open(): void {
    this.opened = true;
    for (const client of this.held) this.forward(client);
    this.held.clear();
  }

  /** Resets every connection at once, in both directions, and closes the gate. */
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
    if (this.opened) this.forward(client);
    else {
      client.pause();
      this.held.add(client);
      this.onWaiting();
    }
  }

  private forward(client: Socket): void {
    const { host, port } = this.upstream;
    const database = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveMilliseconds,
    });
    // The end of one side ends the other side. Eclair reports the error.
    database.on("error", () => undefined);
    database.on("close", () => client.destroy());
    client.on("close", () => database.destroy());
    client.pipe(database);
    database.pipe(client);
  }
}
