/**
 * ZMTP 3.0, the protocol of ZeroMQ on TCP, as far as publishers and subscribers need it (RFC 23 of ZeroMQ). The `zeromq`
 * package is a native module that needs functions of libuv, which Bun does not have (oven-sh/bun, issue 18546).
 */

const signatureBytes = 10;
const greetingBytes = 64;
const flags = { more: 1, long: 2, command: 4 } as const;
const shortLimit = 255;
/** A block has at most 4 MB. A peer that announces a larger frame speaks another protocol. */
const largestFrame = 32 * 1024 * 1024;

export type SocketType = "PUB" | "SUB";

/** The first bytes of each side: signature, version 3.0, the mechanism NULL. */
export function greeting(): Buffer {
  const bytes = Buffer.alloc(greetingBytes);
  bytes[0] = 0xff;
  bytes[signatureBytes - 1] = 0x7f;
  bytes[signatureBytes] = 3;
  bytes.write("NULL", signatureBytes + 2, "ascii");
  return bytes;
}

/** The command that ends the handshake. */
export function ready(type: SocketType): Buffer {
  const value = Buffer.from(type, "ascii");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return encodeFrame(Buffer.concat([shortText("READY"), shortText("Socket-Type"), length, value]), {
    command: true,
  });
}

/** The message that subscribes to the messages that begin with a topic. */
export const subscription = (topic: string): Buffer =>
  encodeMessage([Buffer.concat([Buffer.of(1), Buffer.from(topic)])]);

/** A message of one or more parts. */
export const encodeMessage = (parts: readonly Uint8Array[]): Buffer =>
  Buffer.concat(parts.map((part, index) => encodeFrame(part, { more: index < parts.length - 1 })));

function encodeFrame(
  body: Uint8Array,
  { more = false, command = false }: { readonly more?: boolean; readonly command?: boolean },
): Buffer {
  const isLong = body.length > shortLimit;
  const head = Buffer.alloc(isLong ? 9 : 2);
  head[0] = (more ? flags.more : 0) | (isLong ? flags.long : 0) | (command ? flags.command : 0);
  if (isLong) head.writeBigUInt64BE(BigInt(body.length), 1);
  else head[1] = body.length;
  return Buffer.concat([head, body]);
}

const shortText = (text: string): Buffer =>
  Buffer.concat([Buffer.of(text.length), Buffer.from(text, "ascii")]);

/** What a peer sent: its READY command, or a message. Other commands are skipped. */
export type Received =
  | { readonly kind: "ready"; readonly socketType: string }
  | { readonly kind: "message"; readonly parts: readonly Buffer[] };

/** Decodes the bytes of a peer. */
export class Decoder {
  private pending: Buffer = Buffer.alloc(0);
  private greeted = false;
  private parts: Buffer[] = [];

  /** @throws Error when the peer does not speak ZMTP 3 with the mechanism NULL */
  receive(chunk: Buffer): Received[] {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    if (!this.greeted && !this.readGreeting()) return [];
    const received: Received[] = [];
    for (let frame = this.nextFrame(); frame !== undefined; frame = this.nextFrame()) {
      const { body, isCommand, hasMore } = frame;
      if (isCommand) {
        const socketType = socketTypeOf(body);
        if (socketType !== undefined) received.push({ kind: "ready", socketType });
        continue;
      }
      this.parts.push(body);
      if (hasMore) continue;
      received.push({ kind: "message", parts: this.parts });
      this.parts = [];
    }
    return received;
  }

  private readGreeting(): boolean {
    const { pending } = this;
    if (pending.length > 0 && pending[0] !== 0xff) throw new Error("the peer does not speak ZMTP");
    if (pending.length < greetingBytes) return false;
    const version = pending[signatureBytes] ?? 0;
    const mechanism = pending.subarray(signatureBytes + 2, signatureBytes + 22).toString("ascii");
    if (version < 3) throw new Error(`the peer speaks ZMTP ${version}, not ZMTP 3`);
    if (mechanism.replace(/\0+$/, "") !== "NULL") throw new Error("the peer requires authentication");
    this.pending = pending.subarray(greetingBytes);
    this.greeted = true;
    return true;
  }

  private nextFrame(): { body: Buffer; isCommand: boolean; hasMore: boolean } | undefined {
    const { pending } = this;
    const [flag] = pending;
    if (flag === undefined) return undefined;
    const isLong = (flag & flags.long) !== 0;
    const head = isLong ? 9 : 2;
    if (pending.length < head) return undefined;
    const length = isLong ? Number(pending.readBigUInt64BE(1)) : (pending[1] ?? 0);
    if (length > largestFrame) throw new Error(`the peer announces a frame of ${length} bytes`);
    if (pending.length < head + length) return undefined;
    this.pending = pending.subarray(head + length);
    return {
      body: pending.subarray(head, head + length),
      isCommand: (flag & flags.command) !== 0,
      hasMore: (flag & flags.more) !== 0,
    };
  }
}

/** The socket type in a READY command; undefined for another command. */
function socketTypeOf(body: Buffer): string | undefined {
  const nameLength = body[0] ?? 0;
  if (body.subarray(1, 1 + nameLength).toString("ascii") !== "READY") return undefined;
  let offset = 1 + nameLength;
  while (offset < body.length) {
    const keyEnd = offset + 1 + (body[offset] ?? 0);
    const key = body.subarray(offset + 1, keyEnd).toString("ascii");
    const valueEnd = keyEnd + 4 + body.readUInt32BE(keyEnd);
    if (key.toLowerCase() === "socket-type") return body.subarray(keyEnd + 4, valueEnd).toString("ascii");
    offset = valueEnd;
  }
  return "";
}
