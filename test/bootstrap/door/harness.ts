import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach } from "vitest";
import { Door } from "../../../bootstrap/door/door.ts";
import { doorLimits, type DoorLimits } from "../../../bootstrap/door/limits.ts";
import type { DoorMessage } from "../../../bootstrap/door/messages.ts";
import { boottime } from "../../../bootstrap/os/clock.ts";

/** Loopback addresses of two hosts, and of the Eclairs behind their doors. */
export const addresses = {
  a: "127.0.0.20",
  b: "127.0.0.21",
  eclairA: "127.0.0.30",
  eclairB: "127.0.0.31",
} as const;

/** An Eclair that answers each message with its name and the message. */
export type FakeEclair = {
  readonly server: Server;
  readonly sessions: Socket[];
  readonly received: string[];
  readonly close: () => void;
};

/** An Eclair in a process of its own. While it is paused, the kernel queues its connections. */
export type PausableEclair = {
  readonly received: string[];
  readonly pause: () => Promise<void>;
  readonly resume: () => void;
};

/** Doors, Eclairs and clients on the loopback interface. Each test of a file begins without any. */
export class TestHosts {
  ports = { outer: 0, inner: 0 };
  private ends: (() => void)[] = [];

  constructor() {
    beforeEach(async () => {
      this.ports = { outer: await freePort(), inner: await freePort() };
    });
    afterEach(() => {
      for (const end of this.ends) end();
      this.ends = [];
    });
  }

  async door(address: string, limits: Partial<DoorLimits> = {}): Promise<Door> {
    // The messages of these tests are shorter than a handshake.
    const door = new Door(this.ports, { ...doorLimits, firstActBytes: 1, ...limits });
    this.ends.push(() => door.close());
    door.listen(address);
    await until(async () => {
      const client = connect(this.ports.outer, address);
      const connected = await new Promise<boolean>((resolve) => {
        client.once("connect", () => resolve(true));
        client.once("error", () => resolve(false));
      });
      client.destroy();
      return connected;
    });
    return door;
  }

  async eclair(address: string, name: string, answers = true): Promise<FakeEclair> {
    const sessions: Socket[] = [];
    const received: string[] = [];
    const server = createServer({ allowHalfOpen: true }, (session) => {
      sessions.push(session);
      session.on("error", () => undefined);
      session.on("end", () => session.end());
      session.on("data", (data) => {
        received.push(data.toString());
        if (answers) session.write(`${name}:${data.toString()}`);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(this.ports.outer, address, resolve);
    });
    const close = () => {
      server.close();
      for (const session of sessions) session.resetAndDestroy();
    };
    this.ends.push(close);
    return { server, sessions, received, close };
  }

  /** An Eclair that answers every message with the same message. */
  async pausableEclair(address: string): Promise<PausableEclair> {
    const program = join(import.meta.dirname, "echo-main.ts");
    const child = spawn(process.execPath, [program, address, String(this.ports.outer)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.ends.push(() => child.kill("SIGKILL"));
    const received: string[] = [];
    let listens = false;
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (listens) received.push(line);
      listens = true;
    });
    await until(() => listens);
    const isPaused = () => / T /.test(readFileSync(`/proc/${child.pid}/stat`, "utf8"));
    return {
      received,
      pause: async () => {
        child.kill("SIGSTOP");
        await until(isPaused);
      },
      resume: () => child.kill("SIGCONT"),
    };
  }

  client(address: string): Client {
    const client = new Client(connect({ host: address, port: this.ports.outer, allowHalfOpen: true }));
    this.ends.push(() => client.socket.destroy());
    return client;
  }
}

export class Client {
  readonly socket: Socket;
  text = "";
  /** How the connection ended. */
  ending: "closed" | "reset" | undefined;
  /** Whether the other side sent its last byte. */
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (data) => {
      this.text += data.toString();
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("error", () => {
      this.ending = "reset";
    });
    socket.on("close", () => {
      this.ending ??= "closed";
    });
  }
}

type Direction = Pick<DoorMessage, "route" | "own">;

/** Connections lead to an Eclair of this host, whose lease is known to be valid for some seconds. */
export const toThisHost = (name: string, address: string, seconds = 60): Direction => ({
  route: { to: "this-host", eclairInstanceId: name, address, answers: true },
  own: { eclairInstanceId: name, until: boottime() + seconds },
});

export const toOtherHost = (name: string, address: string, hasDoor = true): Direction => ({
  route: { to: "other-host", eclairInstanceId: name, address, hasDoor },
});

/** Connections are held. @param own the Eclair of this host that stops */
export const toNobody = (own?: DoorMessage["own"]): Direction => ({
  route: { to: "nobody" },
  ...(own !== undefined && { own }),
});

/** No address of a test is a host of the cluster unless it is named. */
export const alone = { hosts: [], isLeaving: false };

/** On the loopback interface, every connection comes from this address. */
export const everyHost = { hosts: ["127.0.0.1"], isLeaving: false };

/** Waits until a condition is met, for five seconds at most. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("the condition was not met within 5 s");
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, addresses.a, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
