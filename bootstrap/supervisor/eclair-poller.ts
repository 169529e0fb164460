import type { EclairInfo } from "../contract/reports/instance.ts";
import { readEclairInfo } from "../eclair/info.ts";
import type { EclairProcesses } from "../eclair/processes.ts";
import type { ContextReloader } from "./reload/context-reloader.ts";

/** Polls the API of the Eclair that is connected to the database. */
export class EclairPoller {
  private readonly reloader: Pick<ContextReloader, "context" | "next">;
  private readonly processes: Pick<EclairProcesses, "open">;
  private last: EclairInfo | undefined;
  private polling = false;
  private unexpected: string | undefined;

  constructor(reloader: Pick<ContextReloader, "context" | "next">, processes: Pick<EclairProcesses, "open">) {
    this.reloader = reloader;
    this.processes = processes;
  }

  /** Undefined while the API does not answer. */
  get info(): EclairInfo | undefined {
    return this.last;
  }

  /** The node id of an Eclair on this host that started as another node. */
  get unexpectedNodeId(): string | undefined {
    return this.unexpected;
  }

  /** The polled Eclair has ended. */
  reset(): void {
    this.last = undefined;
  }

  async poll(): Promise<void> {
    const { open } = this.processes;
    if (this.polling || open === undefined) return;
    this.polling = true;
    const info = await this.readWithEitherPassword();
    this.polling = false;
    if (this.processes.open !== open) return;
    this.last = info;
    if (info !== undefined && info.nodeId !== this.reloader.context.node.configuration.nodeId)
      this.unexpected = info.nodeId;
  }

  /** An Eclair that started while a boot rendered files may have the password of that boot already. */
  private async readWithEitherPassword(): Promise<EclairInfo | undefined> {
    const { context, next } = this.reloader;
    const info = await readEclairInfo(context.secrets.apiPassword);
    return info ?? (next && (await readEclairInfo(next.secrets.apiPassword)));
  }
}
