import { randomUUID } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { ports } from "../../contract/ports.ts";
import { logEvent } from "../../os/log.ts";
import { decodeMessage, encodeMessage, type HostMessage } from "./host-message.ts";
import { replySeconds } from "./timing.ts";

/** A datagram can be lost: a question is sent again until its reply arrives. */
const sendAgainMilliseconds = 100;
const bindAgainMilliseconds = 500;

type Reply = Extract<HostMessage["kind"], "promise" | "refuse" | "here">;

/** Questions of a supervisor to the supervisors of the cluster's other hosts, and the replies. */
export class HostLink {
  private readonly address: string;
  private readonly key: () => Buffer;
  private readonly mayPromise: () => boolean;
  private readonly port: number;
  private socket: Socket | undefined;
  private closed = false;
  private readonly waiting = new Map<string, (reply: Reply) => void>();

  /**
   * @param address the host's own address
   * @param key of the messages
   * @param mayPromise whether this host has no answer of the database either; a promise is then binding
   */
  constructor(address: string, key: () => Buffer, mayPromise: () => boolean, port: number = ports.door) {
    this.address = address;
    this.key = key;
    this.mayPromise = mayPromise;
    this.port = port;
  }

  listen(): void {
    const socket = createSocket("udp4");
    this.socket = socket;
    socket.on("message", (datagram, { address }) => this.receive(datagram, address));
    socket.on("error", (error) => {
      // The socket of an earlier supervisor is ending, or the address is not configured yet.
      logEvent("hosts.listen-failed", { message: error.message }, "warn");
      this.socket = undefined;
      socket.close();
      if (!this.closed) setTimeout(() => this.listen(), bindAgainMilliseconds).unref();
    });
    socket.bind(this.port, this.address);
  }

  close(): void {
    this.closed = true;
    this.socket?.close();
    this.socket = undefined;
  }

  /** Whether every host promises not to claim the lease. */
  async askAll(addresses: readonly string[]): Promise<boolean> {
    const replies = await Promise.all(addresses.map((address) => this.question("ask", address)));
    return replies.every((reply) => reply === "promise");
  }

  /** The hosts that can be reached. */
  async findReachable(addresses: readonly string[]): Promise<string[]> {
    const replies = await Promise.all(addresses.map((address) => this.question("hello", address)));
    return addresses.filter((_, index) => replies[index] === "here");
  }

  private async question(kind: "ask" | "hello", address: string): Promise<Reply | undefined> {
    const id = randomUUID();
    const replied = new Promise<Reply>((resolve) => {
      this.waiting.set(id, resolve);
    });
    try {
      for (let left = replySeconds * 1000; left > 0; left -= sendAgainMilliseconds) {
        this.send({ kind, id }, address);
        const reply = await Promise.race([replied, sleep(sendAgainMilliseconds)]);
        if (reply !== undefined) return reply;
      }
      return undefined;
    } finally {
      this.waiting.delete(id);
    }
  }

  private receive(datagram: Buffer, sender: string): void {
    const message = decodeMessage(datagram, this.key(), this.address);
    if (message === undefined) return;
    const { kind, id } = message;
    if (kind === "hello") this.send({ kind: "here", id }, sender);
    else if (kind === "ask") this.send({ kind: this.mayPromise() ? "promise" : "refuse", id }, sender);
    else this.waiting.get(id)?.(kind);
  }

  private send(message: HostMessage, address: string): void {
    // The reply does not arrive when the datagram cannot be sent.
    this.socket?.send(encodeMessage(message, this.key(), address), this.port, address, () => undefined);
  }
}
