// Runs inside a guest's network: the same question to the database through the gate and past it, in turn.
import { text } from "node:stream/consumers";
import { Client } from "pg";
import type { DatabasePlace } from "../bootstrap/config/node.ts";
import type { Credentials } from "../bootstrap/secrets/shapes.ts";
import { median } from "./lab-bench.ts";

/** Two addresses of one database. */
export type Ways = {
  readonly login: Credentials;
  readonly ca: string;
  readonly database: DatabasePlace;
  readonly direct: string;
  readonly gate: string;
};

const warmUp = 500;
const rounds = 5_000;

const { login, ca, database, direct, gate } = JSON.parse(await text(process.stdin)) as Ways;

async function connected(host: string): Promise<Client> {
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

const past = await connected(direct);
const through = await connected(gate);
const [straight, gated]: [number[], number[]] = [[], []];
for (let round = 0; round < warmUp + rounds; round += 1) {
  const [one, other] = [await roundTrip(past), await roundTrip(through)];
  if (round < warmUp) continue;
  straight.push(one);
  gated.push(other);
}
await Promise.all([past.end(), through.end()]);

const show = (times: readonly number[]) => {
  const worst = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
  return `median ${median(times).toFixed(3)} ms, 99 of 100 within ${worst.toFixed(3)} ms`;
};
console.log(`a round trip to the database over TLS, ${rounds} in turn each way`);
console.log(`  past the gate     ${show(straight)}`);
console.log(`  through the gate  ${show(gated)}`);
console.log(`  added             median ${(median(gated) - median(straight)).toFixed(3)} ms`);
