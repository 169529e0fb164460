import { closeSync, openSync, readSync } from "node:fs";

/** The sockets of this network namespace for IPv6 and for IPv4. Java listens on an IPv6 socket by default, so this list comes first. */
const socketLists = ["/proc/net/tcp6", "/proc/net/tcp"];
const chunkBytes = 65_536;

/**
 * The connections that a program on this host has not accepted yet. The kernel lists listening sockets before all others, and
 * this number as their `rx_queue` (`get_tcp4_sock` and `tcp_get_idx` in net/ipv4/tcp_ipv4.c).
 * @param address an IPv4 address on which the program listens
 * @returns undefined when no program listens
 */
export function unacceptedConnections(address: string, port: number): number | undefined {
  const bytes = address.split(".").map(Number);
  const local = `${hex(Buffer.from(bytes).readUInt32LE(), 8)}:${hex(port, 4)}`;
  const listening = new RegExp(`: (?:0{16}FFFF0000)?${local} \\S+ 0A [0-9A-F]+:([0-9A-F]+) `);
  for (const list of socketLists) {
    const queue = listening.exec(readListeningSockets(list))?.[1];
    if (queue !== undefined) return Number.parseInt(queue, 16);
  }
  return undefined;
}

/** The beginning of a list of sockets, which contains all listening sockets. */
function readListeningSockets(list: string): string {
  const file = openSync(list, "r");
  try {
    const chunk = Buffer.alloc(chunkBytes);
    let text = "";
    for (;;) {
      const length = readSync(file, chunk);
      text += chunk.toString("latin1", 0, length);
      if (length === 0 || hasOtherSockets(text)) return text;
    }
  } finally {
    closeSync(file);
  }
}

const hasOtherSockets = (text: string) => /^ +\d+: \S+ \S+ (?!0A)/m.test(text);

const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, "0");

/** The room in the backlog of this host's Eclair, or less. A connection beyond the backlog is lost for a second or longer. */
export class Backlog {
  private room: number;
  private readonly size: number;

  /** @param size the number of connections that may wait to be accepted */
  constructor(size: number) {
    this.size = size;
    this.room = size;
  }

  /** Counts the waiting connections when half of the backlog can be in use: to list the sockets takes the kernel milliseconds. */
  measure(address: string, port: number): void {
    if (this.room <= this.size / 2) this.room = this.size - (unacceptedConnections(address, port) ?? 0);
  }

  /** @returns whether there is room for one more connection, which the caller then opens */
  take(): boolean {
    if (this.room <= 0) return false;
    this.room -= 1;
    return true;
  }
}
