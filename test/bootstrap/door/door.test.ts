import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Door } from "../../../bootstrap/door/door.ts";
import {
  addresses,
  alone,
  everyHost,
  TestHosts,
  toNobody,
  toOtherHost,
  toThisHost,
  until,
} from "./harness.ts";

const { a, b, eclairA, eclairB } = addresses;
const testHosts = new TestHosts();

describe("the active Eclair on this host", () => {
  test("receives the connections, and its answers reach the clients", async () => {
    await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const client = testHosts.client(a);
    client.socket.write("act one");
    await until(() => client.text === "A:act one");
    client.socket.write(" act three");
    await until(() => client.text === "A:act oneA: act three");
    expect(door.report()).toMatchObject({ passing: 1, held: 0, heldTotal: 0 });
  });

  test("sees no connection that has sent nothing", async () => {
    const eclair = await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA), ...alone });
    testHosts.client(a);
    await until(() => door.report().held === 1);
    await sleep(50);
    expect(eclair.sessions).toHaveLength(0);
  });

  test("each side can end before the other", async () => {
    const eclair = await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => client.text === "A:x");
    eclair.sessions[0]?.removeAllListeners("end");
    client.socket.end();
    await until(() => eclair.sessions[0]?.readableEnded === true);
    eclair.sessions[0]?.end("last words");
    await until(() => client.ended);
    expect(client.text).toBe("A:xlast words");
    await until(() => door.report().passing === 0);
  });

  test("ends a connection that the client does not close", async () => {
    const eclair = await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a, { halfClosedMilliseconds: 200 });
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => client.text === "A:x");
    eclair.sessions[0]?.end("last words");
    await until(() => client.ended);
    expect(client.text).toBe("A:xlast words");
    await until(() => door.report().passing === 0);
  });

  test("is not read faster than the client reads", async () => {
    const eclair = await testHosts.eclair(eclairA, "A", false);
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => eclair.sessions.length === 1);
    client.socket.pause();
    const session = eclair.sessions[0];
    const megabyte = Buffer.alloc(1_000_000);
    // More than the socket buffers of both connections.
    for (let count = 0; count < 40; count += 1) session?.write(megabyte);
    await sleep(300);
    expect(session?.writableLength).toBeGreaterThan(10_000_000);
    let received = 0;
    client.socket.on("data", (data: Buffer) => {
      received += data.length;
    });
    client.socket.resume();
    await until(() => received === 40_000_000);
  });
});

test("a client that sends more than 4,096 bytes before the answer is disconnected", async () => {
  const door = await testHosts.door(a);
  door.update({ ...toNobody(), ...alone });
  const [client, other] = [testHosts.client(a), testHosts.client(a)];
  other.socket.write(Buffer.alloc(4096));
  client.socket.write(Buffer.alloc(4097));
  await until(() => client.ending === "reset");
  expect(door.report().held).toBe(1);
});

describe("a connection is held", () => {
  test("until an Eclair serves, and sends what the client has sent", async () => {
    const door = await testHosts.door(a);
    door.update({ ...toNobody(), ...alone });
    const client = testHosts.client(a);
    client.socket.write("act one");
    await until(() => door.report().heldTotal === 1);
    await testHosts.eclair(eclairA, "A");
    door.update({ ...toThisHost("A", eclairA), ...alone });
    await until(() => client.text === "A:act one");
    expect(door.report()).toMatchObject({ passing: 1, movedTotal: 0 });
  });

  test("while the Eclair does not listen yet", async () => {
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const clients = [testHosts.client(a), testHosts.client(a), testHosts.client(a)];
    for (const client of clients) client.socket.write("x");
    await until(() => door.report().heldTotal === 3);
    await until(() => door.unreachableMilliseconds > 0);
    await testHosts.eclair(eclairA, "A");
    await until(() => clients.every(({ text }) => text === "A:x"));
    expect(door.report()).toMatchObject({ passing: 3, heldTotal: 3 });
    expect(door.unreachableMilliseconds).toBe(0);
  });

  test("for a limited time", async () => {
    const door = await testHosts.door(a, { heldMilliseconds: 300 });
    door.update({ ...toNobody(), ...alone });
    const client = testHosts.client(a);
    const started = performance.now();
    client.socket.write("x");
    await until(() => client.ending !== undefined);
    expect(performance.now() - started).toBeGreaterThan(290);
    expect(door.report()).toMatchObject({ held: 0, expiredTotal: 1 });
  });
});

describe("when the Eclair ends before its first answer", () => {
  test("the next holder receives what the client has sent", async () => {
    const first = await testHosts.eclair(eclairA, "A", false);
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const client = testHosts.client(a);
    client.socket.write("act one");
    await until(() => first.received.join("") === "act one");
    first.close();
    door.update({ ...toNobody(), ...alone });
    await testHosts.door(b).then((other) => other.update({ ...toThisHost("B", eclairB), ...everyHost }));
    await testHosts.eclair(eclairB, "B");
    door.update({ ...toOtherHost("B", b), ...alone });
    await until(() => client.text === "B:act one");
    expect(door.report()).toMatchObject({ movedTotal: 1, cutTotal: 0 });
  });

  test("the same Eclair receives the bytes again when the door of its host has started again", async () => {
    const eclair = await testHosts.eclair(eclairB, "B", false);
    const first = await testHosts.door(b);
    first.update({ ...toThisHost("B", eclairB), ...everyHost });
    const door = await testHosts.door(a);
    door.update({ ...toOtherHost("B", b), ...alone });
    const client = testHosts.client(a);
    client.socket.write("act one");
    await until(() => eclair.received.length === 1);
    first.close();
    const second = await testHosts.door(b);
    second.update({ ...toThisHost("B", eclairB), ...everyHost });
    await until(() => eclair.received.length === 2);
    expect(eclair.received).toEqual(["act one", "act one"]);
    expect(client.ending).toBeUndefined();
  });

  test("the same Eclair does not receive the bytes again", async () => {
    const eclair = await testHosts.eclair(eclairA, "A", false);
    const door = await testHosts.door(a, { heldMilliseconds: 500 });
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const client = testHosts.client(a);
    client.socket.write("not Lightning");
    await until(() => eclair.received.length === 1);
    eclair.sessions[0]?.destroy();
    await sleep(200);
    expect(eclair.sessions).toHaveLength(1);
    await until(() => client.ending !== undefined);
    expect(door.report().expiredTotal).toBe(0);
  });
});

describe("when the holder changes", () => {
  test("the connections to the previous holder are reset, and those without an answer move to the next", async () => {
    await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const answered = testHosts.client(a);
    answered.socket.write("x");
    await until(() => answered.text === "A:x");
    // An older image without a door listens on its host's address.
    await testHosts.eclair(eclairB, "B");
    door.update({ ...toOtherHost("B", eclairB, false), ...alone });
    await until(() => answered.ending === "reset");
    expect(door.report().cutTotal).toBe(1);
    const next = testHosts.client(a);
    next.socket.write("y");
    await until(() => next.text === "B:y");
  });

  test("an Eclair that stops keeps its connections until there is another holder", async () => {
    await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a);
    const serving = toThisHost("A", eclairA);
    door.update({ ...serving, ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => client.text === "A:x");
    door.update({ ...toNobody(serving.own), ...alone });
    client.socket.write("y");
    await until(() => client.text === "A:xA:y");
    expect(door.report().cutTotal).toBe(0);
  });

  test("an Eclair that stops is mute at its deadline as well", async () => {
    await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a);
    const serving = toThisHost("A", eclairA, 0.3);
    door.update({ ...serving, ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => client.text === "A:x");
    door.update({ ...toNobody(serving.own), ...alone });
    await until(() => client.ending !== undefined);
    expect(client.ending).toBe("reset");
  });
});

describe("the deadline of this host's Eclair", () => {
  test("nothing that Eclair sends after it reaches a client", async () => {
    const eclair = await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA, 0.3), ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => client.text === "A:x");
    await until(() => client.ending === "reset");
    expect(eclair.sessions).toHaveLength(1);
    const late = testHosts.client(a);
    late.socket.write("y");
    await sleep(100);
    expect(late.text).toBe("");
  });

  test("a later deadline keeps the connections", async () => {
    await testHosts.eclair(eclairA, "A");
    const door = await testHosts.door(a);
    door.update({ ...toThisHost("A", eclairA, 0.3), ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => client.text === "A:x");
    door.update({ ...toThisHost("A", eclairA, 60), ...alone });
    await sleep(400);
    client.socket.write("y");
    await until(() => client.text === "A:xA:y");
    expect(client.ending).toBeUndefined();
  });
});

test("a host that leaves closes its connections, a part of them at a time", async () => {
  await testHosts.eclair(eclairA, "A");
  const door = await testHosts.door(a, { closedPerSecond: 40 });
  door.update({ ...toThisHost("A", eclairA), ...alone });
  const clients = [testHosts.client(a), testHosts.client(a), testHosts.client(a)];
  for (const client of clients) client.socket.write("x");
  await until(() => clients.every(({ text }) => text === "A:x"));
  door.update({ ...toThisHost("A", eclairA), hosts: [], isLeaving: true });
  expect(door.report().passing).toBe(3);
  await until(() => clients.some(({ ended }) => ended));
  expect(clients.every(({ ended }) => ended)).toBe(false);
  await until(() => clients.every(({ ended }) => ended));
  expect(clients.map(({ ending }) => ending)).not.toContain("reset");
});

test("a door whose port is in use says so, and listens when the port is free", async () => {
  const first = await testHosts.door(a);
  const second = new Door(testHosts.ports);
  second.listen(a);
  await until(() => second.listenProblem !== undefined);
  expect(second.listenProblem).toMatch(/^the door cannot accept connections: .*EADDRINUSE/);
  first.close();
  await until(() => second.listenProblem === undefined);
  second.close();
});
