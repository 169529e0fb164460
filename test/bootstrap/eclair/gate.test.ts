import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Gate } from "../../../bootstrap/eclair/gate.ts";

let database: Server;
let sessions: Socket[];
let gate: Gate;
let address: AddressInfo;

beforeEach(async () => {
  sessions = [];
  database = createServer((session) => {
    sessions.push(session);
    session.on("error", () => undefined);
    session.on("data", (data) => session.write(`received ${data.toString()}`));
  });
  await new Promise<void>((resolve) => {
    database.listen(0, "127.0.0.1", resolve);
  });
  const { port } = database.address() as AddressInfo;
  gate = new Gate({ host: "127.0.0.1", port });
  await gate.listen("127.0.0.1", 0);
  address = gate.address();
});
afterEach(async () => {
  await gate.close();
  for (const session of sessions) session.destroy();
  database.close();
});

function client(): Socket {
  const socket = connect(address.port, address.address);
  socket.on("error", () => undefined);
  return socket;
}
/** Waits until a connection is closed. A reset is an error before the close. */
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
const readOnce = async (socket: Socket) => String((await once(socket, "data"))[0]);

test("a closed gate holds the connection of a process, and the database sees no connection", async () => {
  const waiting = new Promise<void>((resolve) => {
    gate.onWaiting = resolve;
  });
  const eclair = client();
  eclair.write("hello");
  await waiting;
  await sleep(50);
  expect(gate.waiting).toBe(true);
  expect(sessions).toHaveLength(0);

  gate.open();
  expect(await readOnce(eclair)).toBe("received hello");
  expect(gate.waiting).toBe(false);
});

test("an open gate forwards later connections as well", async () => {
  gate.open();
  const [first, second] = [client(), client()];
  first.write("one");
  second.write("two");
  expect([await readOnce(first), await readOnce(second)]).toEqual(["received one", "received two"]);
});

test("a cut resets both sides at once, and holds later connections again", async () => {
  gate.open();
  const eclair = client();
  eclair.write("hello");
  await readOnce(eclair);
  const [session] = sessions;
  if (session === undefined) throw new Error("the database has no session");
  const ends = Promise.all([closed(eclair), closed(session)]);
  gate.cut();
  await ends;

  const later = client();
  later.write("hello");
  await once(later, "connect");
  await sleep(50);
  expect(sessions).toHaveLength(1);
  expect(gate.isOpen).toBe(false);
});

test("the end of one side ends the other side, and the gate reports the end of the last connection", async () => {
  const emptied = new Promise<void>((resolve) => {
    gate.onEmpty = resolve;
  });
  gate.open();
  const eclair = client();
  eclair.write("hello");
  await readOnce(eclair);
  const ended = closed(eclair);
  sessions[0]?.destroy();
  await ended;
  await emptied;
  expect(gate.isOpen).toBe(true);
});
