// Runs in a network namespace without other processes. Measures connections to a server alternately without a door and through
// the door of the bootstrap.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ports } from "../bootstrap/contract/ports.ts";
import { DoorStatus, type DoorMessage } from "../bootstrap/door/messages.ts";
import { boottime } from "../bootstrap/os/clock.ts";
import { root } from "../scripts/machine/paths.mjs";
import { median } from "./lab-bench.ts";

const [doorAddress, serverAddress] = ["127.0.0.20", "127.0.0.2"];
const warmUp = 500;
const rounds = 5_000;
const transferBytes = 500_000_000;
const transfers = 5;
const idleConnections = 1_000;

/** Answers each short message, and reads long ones. */
const server = createServer((session) => {
  session.on("error", () => undefined);
  session.on("data", (data) => {
    if (data.length < 100) session.write(data);
  });
});
server.listen(ports.lightning, serverAddress);
await once(server, "listening");

const door = spawn(join(root, "node_modules/.bin/bun"), ["run", join(root, "bootstrap/main.ts"), "door"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const message: DoorMessage = {
  address: doorAddress,
  route: {
    to: "this-host",
    eclairInstanceId: "bench",
    address: serverAddress,
    answers: true,
  },
  own: { eclairInstanceId: "bench", until: boottime() + 3600 },
  hosts: [],
  isLeaving: false,
};
door.stdin.write(`${JSON.stringify(message)}\n`);
// The first line says that the door runs.
const [firstLine] = (await once(createInterface({ input: door.stdout }), "line")) as [string];
DoorStatus.parse(JSON.parse(firstLine));

async function open(address: string): Promise<Socket> {
  const socket = connect({ host: address, port: ports.lightning, noDelay: true });
  await once(socket, "connect");
  return socket;
}

async function roundTrip(socket: Socket): Promise<number> {
  const started = performance.now();
  socket.write("x".repeat(50));
  await once(socket, "data");
  return performance.now() - started;
}

/** Bytes a second. */
async function transfer(address: string): Promise<number> {
  const socket = await open(address);
  await roundTrip(socket);
  const chunk = Buffer.alloc(64 * 1024);
  const started = performance.now();
  for (let sent = 0; sent < transferBytes; sent += chunk.length)
    if (!socket.write(chunk)) await once(socket, "drain");
  socket.end();
  await once(socket, "close");
  return transferBytes / ((performance.now() - started) / 1000);
}

const residentKilobytes = () =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${door.pid}/status`, "utf8"))?.[1]);

const [direct, through] = [await open(serverAddress), await open(doorAddress)];
const times = { direct: [] as number[], through: [] as number[] };
for (let round = 0; round < warmUp + rounds; round += 1) {
  const [directTime, throughTime] = [await roundTrip(direct), await roundTrip(through)];
  if (round < warmUp) continue;
  times.direct.push(directTime);
  times.through.push(throughTime);
}
const before = residentKilobytes();
const idle: Socket[] = [];
for (let count = 0; count < idleConnections; count += 1) {
  const socket = await open(doorAddress);
  await roundTrip(socket);
  idle.push(socket);
}
await sleep(1_000);
const after = residentKilobytes();
for (const socket of idle) socket.destroy();
const rates = { direct: [] as number[], through: [] as number[] };
for (let round = 0; round < transfers; round += 1) {
  rates.direct.push(await transfer(serverAddress));
  rates.through.push(await transfer(doorAddress));
}

const format = (values: readonly number[]) => {
  const percentile99 = values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0;
  return `median ${median(values).toFixed(3)} ms, 99th percentile ${percentile99.toFixed(3)} ms`;
};
const megabytes = (values: readonly number[]) => `${Math.round(median(values) / 1e6)} MB/s`;
console.log(`a round trip of 50 bytes, ${rounds} alternately with and without the door`);
console.log(`  without the door  ${format(times.direct)}`);
console.log(`  through the door  ${format(times.through)}`);
console.log(`  added             median ${(median(times.through) - median(times.direct)).toFixed(3)} ms`);
console.log(
  `throughput to a server that reads, median of ${transfers}: ${megabytes(rates.direct)} without, ${megabytes(rates.through)} through the door`,
);
console.log(`memory of ${idleConnections} idle connections: ${Math.round((after - before) / 1024)} MiB`);
process.exit();
