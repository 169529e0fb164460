import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeBinary } from "../../machine/paths.mjs";
import { layout, type LabPaths } from "../paths.ts";
import type { RemoteBitcoind } from "./remote-bitcoind.ts";

export const proxyPort = 18_450;

/** A proxy in front of the RPC of a remote bitcoind, which loses answers on request. It ends with this program. */
export class RpcProxy {
  private readonly faultFile: string;
  private readonly logFile: string;
  private readonly process: ChildProcess;

  constructor(lab: LabPaths, remote: RemoteBitcoind) {
    const name = join(layout.run(lab), `rpc-proxy-${remote.address}`);
    this.faultFile = `${name}.fault`;
    this.logFile = `${name}.log`;
    this.clear();
    this.process = spawn(
      "nsenter",
      [
        ...[`--net=/run/netns/${lab.netns}`, nodeBinary, join(import.meta.dirname, "rpc-proxy-main.ts")],
        ...[remote.address, String(proxyPort), this.faultFile, this.logFile],
      ],
      { stdio: "ignore" },
    );
  }

  /** Passes the next request with this method, loses its answer, and refuses all requests after it. */
  loseAnswerTo(method: string): void {
    writeFileSync(this.faultFile, method);
  }

  /** Ends the fault, and forgets the calls. */
  clear(): void {
    rmSync(this.faultFile, { force: true });
    rmSync(this.logFile, { force: true });
  }

  /** How often a method reached bitcoind since `clear`. */
  count(method: string): number {
    if (!existsSync(this.logFile)) return 0;
    return readFileSync(this.logFile, "utf8")
      .split("\n")
      .filter((line) => line === method).length;
  }

  stop(): void {
    this.process.kill("SIGKILL");
  }
}
