import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ports } from "../../../bootstrap/contract/ports.ts";
import { slotAddresses } from "../../../bootstrap/contract/slot-addresses.ts";
import { apiPasswordScript } from "../../lab/guest/eclair-api.ts";
import { guestNetworkArguments } from "../../lab/guest/processes.ts";
import { bashInGuest } from "../../lab/guest/run.ts";
import { nodeBinary } from "../../machine/paths.mjs";
import { labNetworkArguments, type DrillEnvironment } from "../environment.ts";
import {
  addressIn,
  LoadEvent,
  type AcknowledgedWrite,
  type ChainCall,
  type Payment,
  type Probe,
} from "./events.ts";
import type { Peer } from "./peer.ts";

/** A peer gives up a handshake after five seconds (lnd) or later, and a door holds it for four. */
const clientTimeoutMilliseconds = 10_000;
const directTimeoutMilliseconds = 1_000;

/** The load on a pair and the probes of its endpoints, for one run. */
export class Observers {
  readonly probes: Probe[] = [];
  readonly acknowledged: AcknowledgedWrite[] = [];
  readonly payments: Payment[] = [];
  readonly chainCalls: ChainCall[] = [];
  /** Pays the invoices of its standard input, one after another. */
  private payer: ChildProcess | undefined;
  private isPaying = false;
  private readonly children: ChildProcess[] = [];
  private readonly loads = new Map<string, ChildProcess>();
  private readonly hostProbes = new Map<string, ChildProcess>();

  /**
   * @param hosts instance ids
   * @param addresses the addresses of the load balancer by zone
   */
  async start(
    environment: DrillEnvironment,
    hosts: readonly string[],
    addresses: ReadonlyMap<string, string>,
  ): Promise<void> {
    const endpoints = [...addresses].map(
      ([zone, address]) => `${addressIn(zone)},${address},${ports.lightning}`,
    );
    this.spawnProbes(environment, labNetworkArguments(environment), clientTimeoutMilliseconds, endpoints);
    for (const host of hosts) await this.startOnHost(environment, host);
  }

  /** Probes the Eclair of a host behind its door, and creates invoices while the host is active. */
  async startOnHost(environment: DrillEnvironment, id: string): Promise<void> {
    const endpoints = Object.values(slotAddresses).map((address) => `${id},${address},${ports.lightning}`);
    const enterHost = guestNetworkArguments(environment.lab, id);
    this.hostProbes.set(id, this.spawnProbes(environment, enterHost, directTimeoutMilliseconds, endpoints));
    await this.startLoad(environment, id);
  }

  /** Call it before `startOnHost` for a host that rebooted: it has a new network namespace. */
  async stopOnHost(id: string): Promise<void> {
    const probes = this.hostProbes.get(id);
    this.hostProbes.delete(id);
    await kill(probes === undefined ? [] : [probes]);
    await this.stopLoad(id);
  }

  private spawnProbes(
    { configuration }: DrillEnvironment,
    namespace: readonly string[],
    timeoutMilliseconds: number,
    endpoints: readonly string[],
  ): ChildProcess {
    const program = [...nodeScript("probes-main.ts"), configuration.nodeId, String(timeoutMilliseconds)];
    const child = this.spawn([...namespace, ...program, ...endpoints]);
    child.stdin?.end();
    return child;
  }

  /** Creates invoices on a host while the host is active. */
  async startLoad(environment: DrillEnvironment, id: string): Promise<void> {
    const child = this.spawn([
      ...guestNetworkArguments(environment.lab, id),
      ...nodeScript("invoices-main.ts"),
      id,
    ]);
    this.loads.set(id, child);
    child.stdin?.end(await readApiPassword(environment, id));
  }

  /** Ends the load of a host after Eclair has answered the last request. */
  async stopLoad(id: string): Promise<void> {
    const child = this.loads.get(id);
    this.loads.delete(id);
    await kill(child === undefined ? [] : [child], "SIGTERM");
  }

  /** Makes the peer pay the invoices, one after another. */
  async startPayments(environment: DrillEnvironment, peer: Peer): Promise<void> {
    const { instanceId: id } = peer;
    const [uri, password] = await Promise.all([peer.readNodeUri(), readApiPassword(environment, id)]);
    const payer = this.spawn([
      ...guestNetworkArguments(environment.lab, id),
      ...nodeScript("payments-main.ts"),
      uri,
    ]);
    payer.stdin?.write(`${password}\n`);
    // Invoices are written from now on, after the password.
    this.payer = payer;
  }

  /** Asks the Eclair of a host for its block and its balance from now on. */
  async startChainCalls(environment: DrillEnvironment, id: string): Promise<void> {
    const child = this.spawn([
      ...guestNetworkArguments(environment.lab, id),
      ...nodeScript("chain-calls-main.ts"),
    ]);
    child.stdin?.end(await readApiPassword(environment, id));
  }

  private spawn(command: readonly string[]): ChildProcess {
    const child = spawn("nsenter", command, { stdio: ["pipe", "pipe", "inherit"] });
    // The child may have exited.
    child.stdin.on("error", () => undefined);
    createInterface({ input: child.stdout }).on("line", (line) =>
      this.receive(LoadEvent.parse(JSON.parse(line))),
    );
    this.children.push(child);
    return child;
  }

  private receive(event: LoadEvent): void {
    if (event.kind === "probe") this.probes.push(event);
    else if (event.kind === "chain-call") this.chainCalls.push(event);
    else if (event.kind === "payment") {
      this.payments.push(event);
      this.isPaying = false;
    } else {
      this.acknowledged.push(event);
      if (this.payer === undefined || this.isPaying) return;
      this.isPaying = true;
      this.payer.stdin?.write(`${event.invoice}\n`);
    }
  }

  /** Whether a payment that started after a time has succeeded. */
  hasPaid(after: number): boolean {
    return this.payments.some(({ at, paymentHash }) => at > after && paymentHash !== undefined);
  }

  /** Why the last failed payment failed. */
  get lastPaymentProblem(): string {
    return this.payments.findLast(({ problem }) => problem !== undefined)?.problem ?? "no payment was tried";
  }

  /** Whether one of these endpoints has completed a handshake that started after a time. */
  hasAnswered(endpoints: readonly string[], after: number): boolean {
    return this.probes.some(
      ({ at, endpoint, outcome }) => outcome === "answered" && at > after && endpoints.includes(endpoint),
    );
  }

  async stop(): Promise<void> {
    await kill(this.children);
  }
}

async function kill(
  children: readonly ChildProcess[],
  signal: "SIGKILL" | "SIGTERM" = "SIGKILL",
): Promise<void> {
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  const exits = running.map((child) => once(child, "exit"));
  for (const child of running) child.kill(signal);
  await Promise.all(exits);
}

async function readApiPassword({ lab }: DrillEnvironment, id: string): Promise<string> {
  return (await bashInGuest(lab, id, apiPasswordScript, { stdin: "ignore" })).stdout;
}

const nodeScript = (name: string) => [nodeBinary, join(import.meta.dirname, name)];
