import { execa } from "execa";
import { nodeBinary } from "../../setup/places.mjs";
import { services } from "../addresses.ts";
import type { LabPlace } from "../place.ts";
import { rpcPassword, rpcPort, rpcUser } from "./rpc.ts";

const ask = `const [url, authorization, body] = process.argv.slice(1);
const r = await fetch(url, { method: "POST", headers: { authorization }, body, signal: AbortSignal.timeout(60000) });
process.stdout.write(await r.text());`;

/** Blocks after which a coinbase output can be spent. */
const maturity = 100;
/** `raw(51)`: blocks that pay nobody. */
const nobody = "raw(51)#8lvh9jxk";

/** The lab's miner, which is reachable from inside the lab alone, as this machine's root reaches it. */
export class OutsideMiner {
  private readonly lab: LabPlace;

  constructor(lab: LabPlace) {
    this.lab = lab;
  }

  async rpc(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const authorization = `Basic ${Buffer.from(`${rpcUser}:${rpcPassword}`).toString("base64")}`;
    const body = JSON.stringify({ jsonrpc: "1.0", id: "outside", method, params });
    const { stdout } = await execa("nsenter", [
      ...[`--net=/run/netns/${this.lab.netns}`, nodeBinary, "--input-type=module", "--eval", ask],
      ...[`http://${services.miner}:${rpcPort}/`, authorization, body],
    ]);
    const answer = JSON.parse(stdout) as { result: unknown; error: { message: string } | null };
    if (answer.error !== null) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  }

  async mine(blocks: number): Promise<void> {
    await this.rpc("generatetodescriptor", [blocks, nobody]);
  }

  /** Pays a block's reward to an address, and buries it until it can be spent. */
  async fund(address: string): Promise<void> {
    await this.rpc("generatetoaddress", [1, address]);
    await this.mine(maturity);
  }
}
