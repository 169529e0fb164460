import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Decoder, encodeMessage, greeting, ready } from "./protocol.ts";

/** A subscriber that reads nothing must not fill the memory. Eclair connects again. */
const largestBacklogBytes = 64 * 1024 * 1024;
const subscribe = 1;
const blockTopic = "hashblock";

type Subscription = { readonly socket: Socket; readonly topics: Set<string>; isReady: boolean };

/** Sends messages to every subscriber of their topic. */
export class Publisher {
  private readonly server: Server;
  private readonly subscribers = new Set<Subscription>();
  private sequence = 0;
  /** The last announcement of a block, encoded. */
  private lastBlock: Uint8Array | undefined;

  constructor() {
    this.server = createServer((socket) => this.accept(socket));
  }

  async listen(port: number, address: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(port, address, resolve);
    });
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** @param parts the topic first */
  publish(parts: readonly Uint8Array[]): void {
    const [topic = new Uint8Array()] = parts;
    const name = Buffer.from(topic).toString("latin1");
    const message = encodeMessage(parts);
    if (name === blockTopic) this.lastBlock = message;
    for (const { socket } of this.subscribersOf(name))
      if (socket.writableLength > largestBacklogBytes) socket.destroy();
      else socket.write(message);
  }

  hasSubscriber(topic: string): boolean {
    return this.subscribersOf(topic).length > 0;
  }

  private subscribersOf(topic: string): Subscription[] {
    return [...this.subscribers].filter(
      ({ isReady, topics }) => isReady && [...topics].some((prefix) => topic.startsWith(prefix)),
    );
  }

  /** Announces a block as bitcoind does: the topic `hashblock`, the hash, and a number that increases with each message. */
  publishBlock(hash: string): void {
    const sequence = Buffer.alloc(4);
    sequence.writeUInt32LE(this.sequence);
    this.sequence = (this.sequence + 1) % 2 ** 32;
    this.publish([Buffer.from(blockTopic), Buffer.from(hash, "hex"), sequence]);
  }

  /** What the slowest subscriber has not read yet. */
  get backlogBytes(): number {
    return Math.max(0, ...[...this.subscribers].map(({ socket }) => socket.writableLength));
  }

  private accept(socket: Socket): void {
    const decoder = new Decoder();
    const subscriber: Subscription = { socket, topics: new Set(), isReady: false };
    this.subscribers.add(subscriber);
    socket.setNoDelay(true);
    socket.write(Buffer.concat([greeting(), ready("PUB")]));
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const received of decoder.receive(chunk))
          if (received.kind === "ready") subscriber.isReady = true;
          else this.noteSubscription(subscriber, received.parts[0]);
      } catch {
        socket.destroy();
      }
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.subscribers.delete(subscriber));
  }

  /** Takes over a message of a subscriber: 1 and a topic to subscribe, 0 and a topic to cancel. */
  private noteSubscription({ topics, socket }: Subscription, message: Buffer | undefined): void {
    const topic = message?.subarray(1).toString("latin1");
    if (message === undefined || topic === undefined) return;
    if (message[0] !== subscribe) return void topics.delete(topic);
    topics.add(topic);
    // A subscriber that connects again has missed what was published meanwhile.
    if (blockTopic.startsWith(topic) && this.lastBlock !== undefined) socket.write(this.lastBlock);
  }

  close(): void {
    this.server.close();
    for (const { socket } of this.subscribers) socket.destroy();
  }
}
