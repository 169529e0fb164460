import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Door } from "../../../bootstrap/door/door.ts";
import { addresses, TestHosts, toNobody, toOtherHost, toThisHost, until } from "./harness.ts";

const { a, b, eclairA, eclairB } = addresses;
/** No address of a test is a host of the cluster unless it is named. */
const alone = { hosts: [], isLeaving: false };
/** On the loopback interface, every connection comes from this address. */
const everyHost = { hosts: ["127.0.0.1"], isLeaving: false };

let testHosts: TestHosts;

beforeEach(async () => {
  testHosts = await TestHosts.create();
});
afterEach(() => {
  testHosts.close();
});

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
    await testHosts.eclair(eclairA, "A");
    await until(() => clients.every(({ text }) => text === "A:x"));
    expect(door.report()).toMatchObject({ passing: 3, heldTotal: 3 });
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

describe("the inner port", () => {
  test("leads the doors of the cluster's hosts to this host's Eclair", async () => {
    await testHosts.eclair(eclairB, "B");
    const inner = await testHosts.door(b);
    inner.update({ ...toThisHost("B", eclairB), ...everyHost });
    const outer = await testHosts.door(a);
    outer.update({ ...toOtherHost("B", b), ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => client.text === "B:x");
    expect(inner.report()).toMatchObject({ passing: 1, acceptedTotal: 1 });
  });

  test("has no limit for one source, because the other door has applied it", async () => {
    await testHosts.eclair(eclairB, "B", false);
    const inner = await testHosts.door(b, { pendingPerSource: 2 });
    inner.update({ ...toThisHost("B", eclairB), ...everyHost });
    const outer = await testHosts.door(a);
    outer.update({ ...toOtherHost("B", b), ...alone });
    const clients = Array.from({ length: 5 }, () => testHosts.client(a));
    for (const client of clients) client.socket.write("x");
    await until(() => inner.report().held === 5);
    expect(inner.report().refusedTotal).toBe(0);
  });

  test("receives Eclair's connections in the order of their arrival, as the outer port does", async () => {
    const eclair = await testHosts.eclair(eclairB, "B", false);
    const inner = await testHosts.door(b, { unaccepted: 1, acceptMilliseconds: 100 });
    inner.update({ ...toNobody(), ...everyHost });
    const outer = await testHosts.door(a);
    outer.update({ ...toOtherHost("B", b), ...alone });
    inner.update({ ...toThisHost("B", eclairB), ...everyHost });
    const first = testHosts.client(b);
    first.socket.write("first");
    await until(() => eclair.received.length === 1);
    const second = testHosts.client(a);
    second.socket.write("second");
    await until(() => inner.report().held === 2);
    for (const text of ["third", "fourth"]) testHosts.client(b).socket.write(text);
    await until(() => eclair.received.length === 4);
    expect(eclair.received.slice(0, 2)).toEqual(["first", "second"]);
  });

  test("refuses other clients", async () => {
    await testHosts.eclair(eclairB, "B");
    const inner = await testHosts.door(b);
    inner.update({ ...toThisHost("B", eclairB), ...alone });
    const outer = await testHosts.door(a);
    outer.update({ ...toOtherHost("B", b), ...alone });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => inner.report().refusedTotal > 0);
    expect(client.text).toBe("");
  });

  test("never leads to another host, so no connection goes round in a circle", async () => {
    const first = await testHosts.door(a, { heldMilliseconds: 300 });
    const second = await testHosts.door(b);
    first.update({ ...toOtherHost("B", b), ...everyHost });
    second.update({ ...toOtherHost("A", a), ...everyHost });
    const client = testHosts.client(a);
    client.socket.write("x");
    await until(() => client.ending !== undefined);
    expect(second.report()).toMatchObject({ passing: 0, held: 0 });
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

describe("the limits", () => {
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
    const eclair = await testHosts.eclair(eclairA, "A", false);
    const door = await testHosts.door(a, { unaccepted: 2, acceptMilliseconds: 10_000 });
    door.update({ ...toThisHost("A", eclairA), ...alone });
    const clients = await connected(5, door);
    for (const client of clients) client.socket.write("x");
    await until(() => eclair.sessions.length === 2);
    await sleep(100);
    expect(eclair.sessions).toHaveLength(2);
    eclair.sessions[0]?.write("answer");
    await until(() => eclair.sessions.length === 3);
  });
});
