import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { nodeBinary, root } from "../setup/places.mjs";
import { apiPasswordScript } from "../lab/cluster/eclair-api.ts";
import { lightningPort } from "../lab/cluster/load-balancer.ts";
import { guestNetworkWords } from "../lab/guest/look.ts";
import { bashInGuest } from "../lab/guest/run.ts";
import { Found, type Acknowledged, type Connections, type Payment, type Probe } from "./found.ts";
import type { Peer } from "./peer.ts";
import type { Stage } from "./stage.ts";

/** The load on a pair, and the eyes on it, for one run. */
export class Watch {
  readonly probes: Probe[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly connections: Connections[] = [];
  readonly payments: Payment[] = [];
  /** Where a peer takes the next invoice from; none while it pays one. */
  private payer: ChildProcess | undefined;
  private paying = false;
  private readonly running: ChildProcess[] = [];
  private readonly loads = new Map<string, ChildProcess>();

  /** @param places names and addresses */
  async begin(stage: Stage, places: Readonly<Record<string, string>>): Promise<void> {
    const { lab, facts, configuration } = stage;
    const inLab = [`--target=${facts.holder?.pid}`, "--mount", `--net=/run/netns/${lab.netns}`];
    const probes = Object.entries(places).map(([name, address]) => `${name},${address},${lightningPort}`);
    this.follow([...inLab, "--", ...script("probe-main.ts"), configuration.nodeId, ...probes]).stdin?.end();
    for (const id of Object.keys(places)) if (id.startsWith("i-")) await this.load(stage, id);
  }

  /** Has invoices made on a host, whenever it is active. */
  async load(stage: Stage, id: string): Promise<void> {
    const child = this.follow([...guestNetworkWords(stage.lab, id), ...script("load-main.ts"), id]);
    this.loads.set(id, child);
    child.stdin?.end(await passwordOf(stage, id));
  }

  /** Makes no more invoices on a host, until it is loaded again. */
  async rest(id: string): Promise<void> {
    const child = this.loads.get(id);
    this.loads.delete(id);
    await kill(child === undefined ? [] : [child]);
  }

  /** Has a peer pay invoices, one after another, from now on. */
  async pay(stage: Stage, peer: Peer): Promise<void> {
    const { instanceId: id } = peer;
    const [uri, password] = await Promise.all([peer.uri(), passwordOf(stage, id)]);
    const payer = this.follow([...guestNetworkWords(stage.lab, id), ...script("pay-main.ts"), uri]);
    payer.stdin?.write(`${password}\n`);
    // Not before: an invoice would be taken for the password.
    this.payer = payer;
  }

  private follow(words: readonly string[]): ChildProcess {
    const child = spawn("nsenter", words, { stdio: ["pipe", "pipe", "inherit"] });
    // One that has ended already hears nothing.
    child.stdin.on("error", () => undefined);
    createInterface({ input: child.stdout }).on("line", (line) => this.take(Found.parse(JSON.parse(line))));
    this.running.push(child);
    return child;
  }

  private take(found: Found): void {
    if (found.kind === "probe") this.probes.push(found);
    else if (found.kind === "connections") this.connections.push(found);
    else if (found.kind === "payment") {
      this.payments.push(found);
      this.paying = false;
    } else {
      this.acknowledged.push(found);
      if (this.payer === undefined || this.paying) return;
      this.paying = true;
      this.payer.stdin?.write(`${found.invoice}\n`);
    }
  }

  /** Whether a payment that was begun after a moment has come through. */
  paid(after: number): boolean {
    return this.payments.some(({ at, paymentHash }) => at > after && paymentHash !== undefined);
  }

  /** What the last payment that did not come through wanted for. */
  get unpaid(): string {
    return this.payments.findLast(({ why }) => why !== undefined)?.why ?? "none was tried";
  }

  /** Whether a node answered on one of these hosts, asked after a moment. */
  answered(hosts: readonly string[], after: number): boolean {
    return this.probes.some(({ at, place, answered }) => answered && at > after && hosts.includes(place));
  }

  async end(): Promise<void> {
    await kill(this.running);
  }
}

async function kill(children: readonly ChildProcess[]): Promise<void> {
  const left = children.filter((child) => child.exitCode === null && child.signalCode === null);
  const ended = left.map((child) => once(child, "exit"));
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(ended);
}

async function passwordOf({ lab }: Stage, id: string): Promise<string> {
  return (await bashInGuest(lab, id, apiPasswordScript, { stdin: "ignore" })).stdout;
}

const script = (name: string) => [nodeBinary, join(root, "scripts/drills", name)];
