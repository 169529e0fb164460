// Runs in the network namespace of a guest and measures one query alternately without the gate and through the gate.
import { text } from "node:stream/consumers";
import { Client } from "pg";
import type { DatabaseEndpoint } from "../bootstrap/contract/configuration/node.ts";
import type { Credentials } from "../bootstrap/secrets/shapes.ts";
import { median } from "./lab-bench.ts";

/** The input: one database and its two addresses. */
export type GateBenchInput = {
  readonly login: Credentials;
  readonly ca: string;
  readonly database: DatabaseEndpoint;
  readonly direct: string;
  readonly gate: string;
};

const warmUp = 500;
const rounds = 5_000;

const { login, ca, database, direct, gate } = JSON.parse(await text(process.stdin)) as GateBenchInput;

async function connect(host: string): Promise<Client> {
  const client = new Client({
    host,
    port: database.port,
    database: database.name,
    user: login.username,
    password: login.password,
    application_name: "gate-bench",
    ssl: { ca, rejectUnauthorized: true, servername: database.host },
  });
  await client.connect();
  return client;
}

async function roundTrip(client: Client): Promise<number> {
  const started = performance.now();
  await client.query("select 1");
  return performance.now() - started;
}

const directClient = await connect(direct);
const gateClient = await connect(gate);
const directTimes: number[] = [];
const gateTimes: number[] = [];
for (let round = 0; round < warmUp + rounds; round += 1) {
  const [directTime, gateTime] = [await roundTrip(directClient), await roundTrip(gateClient)];
  if (round < warmUp) continue;
  directTimes.push(directTime);
  gateTimes.push(gateTime);
}
await Promise.all([directClient.end(), gateClient.end()]);

const format = (times: readonly number[]) => {
  const percentile99 = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
  return `median ${median(times).toFixed(3)} ms, 99th percentile ${percentile99.toFixed(3)} ms`;
};
console.log(`a round trip to the database over TLS, ${rounds} alternately with and without the gate`);
console.log(`  without the gate  ${format(directTimes)}`);
console.log(`  through the gate  ${format(gateTimes)}`);
console.log(`  added             median ${(median(gateTimes) - median(directTimes)).toFixed(3)} ms`);
