import { isDeepStrictEqual } from "node:util";
import { GateStatus, type GateMessage } from "../../bitcoind/gate/messages.ts";
import { localEndpoint, remoteEndpoint } from "../../bitcoind/endpoints.ts";
import type { NodeConfiguration } from "../../contract/configuration/node.ts";
import type { BitcoindReport, BitcoindSummary, BlockId } from "../../contract/reports/bitcoind.ts";
import { boottime } from "../../os/clock.ts";
import { HelperProcess } from "../../os/helper-process.ts";
import type { SupervisorSecrets } from "../../secrets/supervisor.ts";

/** A gate that reports nothing for this time hangs. */
const staleSeconds = 5;

/** What the gate needs to know about this host. */
export type GateInputs = {
  readonly configuration: Pick<NodeConfiguration, "chain" | "bitcoind">;
  /** The version of the image's Eclair. */
  readonly eclairVersion: string;
  readonly secrets: Pick<SupervisorSecrets, "bitcoind" | "watched">;
  /** The Eclair of this host that is connected to the database, or is about to be. */
  readonly openEclair: string | undefined;
  /** For each descriptor, the number of addresses that the bitcoinds of the other instances have issued. */
  readonly nextAddresses: readonly number[];
  /** A block that is deep in the chain of the active instance, when another instance is active. */
  readonly settledBlock: BlockId | undefined;
};

/** Runs the gate in front of the bitcoinds, and returns its status. */
export class BitcoindControl {
  private readonly process: HelperProcess;
  private sent: GateMessage | undefined;
  private status: { readonly at: number; readonly value: GateStatus } | undefined;

  /** @param onStatus called with each status of the gate, several times a second */
  constructor(onStatus: () => void) {
    this.process = new HelperProcess("bitcoind-gate", "bitcoind-gate.ended", (line) => {
      this.status = { at: boottime(), value: GateStatus.parse(JSON.parse(line)) };
      onStatus();
    });
  }

  start(): void {
    this.process.start();
  }

  stop(): void {
    this.process.stop();
  }

  /** Sends a message when something has changed. */
  follow(inputs: GateInputs): void {
    const message = { ...gateMessage(inputs), last: this.last };
    if (isDeepStrictEqual(message, this.sent)) return;
    this.sent = message;
    this.process.publish(message);
  }

  private get last(): GateMessage["last"] {
    const { status, sent } = this;
    const bitcoind = status?.value.bitcoind;
    const settledBlock = bitcoind?.known === true ? bitcoind.settledBlock : undefined;
    const chosen = this.summaries.find((one) => one.chosen)?.name;
    const knownHeight = status?.value.knownHeight;
    return {
      ...sent?.last,
      ...(settledBlock !== undefined && { settledBlock }),
      ...(chosen !== undefined && { chosen }),
      ...(knownHeight !== undefined && { knownHeight }),
    };
  }

  get report(): BitcoindReport {
    const { status } = this;
    if (status === undefined) return { known: false, reason: "not polled yet" };
    return boottime() - status.at < staleSeconds
      ? status.value.bitcoind
      : { known: false, reason: "bitcoind does not answer: the gate in front of it does not report" };
  }

  /** When bitcoind answered last, on CLOCK_BOOTTIME. */
  get answeredAt(): number | undefined {
    return this.status?.value.answeredAt;
  }

  /** When the local bitcoind answered last, on CLOCK_BOOTTIME. */
  get localAnsweredAt(): number | undefined {
    return this.status?.value.localAnsweredAt;
  }

  /** Whether Eclair can use this bitcoind, by the last status of the gate. */
  get isUsable(): boolean {
    return this.status?.value.isUsable === true;
  }

  get summaries(): readonly BitcoindSummary[] {
    return this.status?.value.bitcoinds ?? [];
  }
}

function gateMessage({
  configuration,
  eclairVersion,
  secrets,
  openEclair,
  nextAddresses,
  settledBlock,
}: GateInputs): Omit<GateMessage, "last"> {
  const { chain, bitcoind } = configuration;
  const local = bitcoind.local === undefined ? [] : [localEndpoint(secrets.bitcoind)];
  const remotes = bitcoind.remotes.map((remote, index) =>
    remoteEndpoint(remote, secrets.bitcoind.remotes[index] ?? { username: "", password: "" }),
  );
  return {
    chain,
    eclairVersion,
    wallet: bitcoind.wallet,
    ...(secrets.watched !== undefined && { watched: secrets.watched }),
    bitcoinds: bitcoind.prefer === "local" ? [...local, ...remotes] : [...remotes, ...local],
    login: secrets.bitcoind.eclair,
    ...(openEclair !== undefined && { openEclair }),
    nextAddresses: [...nextAddresses],
    ...(settledBlock !== undefined && { settledBlock }),
  };
}
