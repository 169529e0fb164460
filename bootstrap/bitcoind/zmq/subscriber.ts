import type { Socket } from "node:net";
import { messageOf } from "../../contract/errors.ts";
import { Decoder, greeting, ready, subscription } from "./protocol.ts";

const reconnectMilliseconds = 1_000;
/** A publisher that is silent for hours is normal, and a path that is cut must be noticed. */
const keepAliveMilliseconds = 10_000;

/** Receives the messages of one topic from one publisher, and connects again whenever the connection ends. */
export class Subscriber {
  private readonly open: () => Socket;
  private readonly topic: string;
  private readonly onMessage: (parts: readonly Buffer[]) => void;
  private socket: Socket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private isReady = false;
  /** Why there is no connection. */
  problem: string | undefined = "not connected yet";

  /**
   * @param open opens a connection to the publisher
   * @param onMessage called with all parts of each message: topic, content, and the publisher's own number
   */
  constructor(open: () => Socket, topic: string, onMessage: (parts: readonly Buffer[]) => void) {
    this.open = open;
    this.topic = topic;
    this.onMessage = onMessage;
    this.connect();
  }

  private connect(): void {
    const decoder = new Decoder();
    const socket = this.open();
    this.socket = socket;
    socket.setKeepAlive(true, keepAliveMilliseconds);
    socket.write(Buffer.concat([greeting(), ready("SUB")]));
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const received of decoder.receive(chunk))
          if (received.kind === "message") this.onMessage(received.parts);
          else this.subscribe(socket);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(messageOf(error)));
      }
    });
    socket.on("error", (error) => {
      this.problem = messageOf(error);
    });
    socket.on("close", () => {
      if (this.isReady) this.problem = "the connection has ended";
      this.isReady = false;
      if (!this.closed) this.timer = setTimeout(() => this.connect(), reconnectMilliseconds);
    });
  }

  /** Only after the handshake: libzmq closes a connection on which a message arrives earlier. */
  private subscribe(socket: Socket): void {
    socket.write(subscription(this.topic));
    this.isReady = true;
    this.problem = undefined;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.destroy();
  }
}
