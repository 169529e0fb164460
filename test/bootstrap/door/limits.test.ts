import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { unacceptedConnections } from "../../../bootstrap/door/backlog.ts";
import { doorLimits } from "../../../bootstrap/door/limits.ts";
import type { Door } from "../../../bootstrap/door/door.ts";
import { addresses, alone, TestHosts, toNobody, toThisHost, until } from "./harness.ts";

const { a, eclairA } = addresses;
const testHosts = new TestHosts();

const connected = async (count: number, door: Door) => {
  const clients = Array.from({ length: count }, () => testHosts.client(a));
  await until(() => door.report().acceptedTotal >= count);
  return clients;
};

test("the oldest connection that has sent nothing makes room for a new one", async () => {
  await testHosts.eclair(eclairA, "A");
  const door = await testHosts.door(a, { pendingPerSource: 3 });
  door.update({ ...toThisHost("A", eclairA), ...alone });
  const [oldest, ...others] = await connected(3, door);
  const next = testHosts.client(a);
  next.socket.write("x");
  await until(() => next.text === "A:x");
  expect(oldest?.ending).toBe("reset");
  expect(others.map(({ ending }) => ending)).toEqual([undefined, undefined]);
  expect(door.report().refusedTotal).toBe(1);
});

test("a new connection is refused when every other one waits for an Eclair", async () => {
  const door = await testHosts.door(a, { pending: 3 });
  door.update({ ...toNobody(), ...alone });
  const clients = await connected(3, door);
  for (const client of clients) client.socket.write("x");
  await until(() => door.report().heldTotal === 3);
  const next = testHosts.client(a);
  await until(() => next.ending === "reset");
  expect(door.report()).toMatchObject({ held: 3, refusedTotal: 1 });
});

test("a connection that sends nothing ends after some time", async () => {
  const door = await testHosts.door(a, { silentMilliseconds: 200 });
  const [client] = await connected(1, door);
  await until(() => client?.ending !== undefined);
  expect(client?.ending).toBe("reset");
});

test("Eclair's backlog receives no more connections than it has room for", async () => {
  const eclair = await testHosts.pausableEclair(eclairA);
  await eclair.pause();
  const door = await testHosts.door(a, { unaccepted: 2 });
  door.update({ ...toThisHost("A", eclairA), ...alone });
  const clients = await connected(5, door);
  for (const client of clients) client.socket.write("x");
  await until(() => unacceptedConnections(eclairA, testHosts.ports.outer) === 2);
  await sleep(100);
  expect(unacceptedConnections(eclairA, testHosts.ports.outer)).toBe(2);
  eclair.resume();
  await until(() => clients.every(({ text }) => text === "x"));
  expect(door.report()).toMatchObject({ passing: 5, heldTotal: 3 });
});

test("a client that has sent less than a whole first act is silent, and makes room for a new one", async () => {
  const eclair = await testHosts.eclair(eclairA, "A");
  const door = await testHosts.door(a, { pendingPerSource: 1, firstActBytes: 4 });
  door.update({ ...toThisHost("A", eclairA), ...alone });
  const [incomplete] = await connected(1, door);
  incomplete?.socket.write("act");
  await sleep(50);
  expect(eclair.sessions).toHaveLength(0);
  const next = testHosts.client(a);
  next.socket.write("act");
  next.socket.write(" one");
  await until(() => next.text === "A:act one");
  expect(incomplete?.ending).toBe("reset");
});

test("a client whose handshake Eclair has refused makes room for a new one", async () => {
  const eclair = await testHosts.eclair(eclairA, "A", false);
  const door = await testHosts.door(a, { pendingPerSource: 1, heldMilliseconds: 60_000 });
  door.update({ ...toThisHost("A", eclairA), ...alone });
  const [refused] = await connected(1, door);
  refused?.socket.write("not Lightning");
  await until(() => eclair.sessions.length === 1);
  eclair.sessions[0]?.destroy();
  await until(() => {
    if (eclair.received.includes("act one")) return true;
    testHosts.client(a).socket.write("act one");
    return false;
  });
  expect(refused?.ending).toBe("reset");
});

test("a client that waits for the next Eclair keeps its place", async () => {
  const eclair = await testHosts.eclair(eclairA, "A", false);
  const door = await testHosts.door(a, { pendingPerSource: 1 });
  door.update({ ...toThisHost("A", eclairA), ...alone });
  const [waiting] = await connected(1, door);
  waiting?.socket.write("act one");
  await until(() => eclair.sessions.length === 1);
  door.update({ ...toNobody(), ...alone });
  eclair.sessions[0]?.destroy();
  await until(() => door.report().heldTotal === 1);
  const next = testHosts.client(a);
  await until(() => next.ending === "reset");
  expect(waiting?.ending).toBeUndefined();
});

test("a handshake begins with 50 bytes", () => {
  expect(doorLimits.firstActBytes).toBe(50);
});

test("a client waits longer while Eclair accepts those before it", async () => {
  const eclair = await testHosts.pausableEclair(eclairA);
  await eclair.pause();
  const limits = { heldMilliseconds: 200, queuedMilliseconds: 1_000 };
  const door = await testHosts.door(a, { ...limits, unaccepted: 1 });
  door.update({ ...toThisHost("A", eclairA), ...alone });
  const clients = await connected(3, door);
  for (const client of clients) client.socket.write("x");
  await sleep(400);
  expect(clients.map(({ ending }) => ending)).toEqual([undefined, undefined, undefined]);
  await until(() => clients.filter(({ ending }) => ending === "reset").length === 2);
  eclair.resume();
  await until(() => door.report().passing === 1);
  expect(door.report().expiredTotal).toBe(2);
});
