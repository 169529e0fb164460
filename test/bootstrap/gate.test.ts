import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Gate } from "../../bootstrap/gate/gate.ts";

let database: Server;
let sessions: Socket[];
let gate: Gate;
let address: AddressInfo;

beforeEach(async () => {
  sessions = [];
  database = createServer((session) => {
    sessions.push(session);
    session.on("error", () => undefined);
    session.on("data", (data) => session.write(`heard ${data.toString()}`));
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
/** A reset is an error first, and an end all the same. */
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
  });
const said = async (socket: Socket) => String((await once(socket, "data"))[0]);

test("while it is closed it holds a process, and the database hears nothing", async () => {
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
  expect(await said(eclair)).toBe("heard hello");
  expect(gate.waiting).toBe(false);
});

test("open, it passes later connections on as well", async () => {
  gate.open();
  const [first, second] = [client(), client()];
  first.write("one");
  second.write("two");
  expect([await said(first), await said(second)]).toEqual(["heard one", "heard two"]);
});

test("a cut ends both sides at once, and what connects afterwards is held again", async () => {
  gate.open();
  const eclair = client();
  eclair.write("hello");
  await said(eclair);
  const [session] = sessions;
  if (session === undefined) throw new Error("the database has no session");
  const ends = Promise.all([closed(eclair), closed(session)]);
  gate.cut();
  await ends;

  const again = client();
  again.write("hello");
  await once(again, "connect");
  await sleep(50);
  expect(sessions).toHaveLength(1);
  expect(gate.isOpen).toBe(false);
});

test("the end of either side is the end of the other, and the last one's is told", async () => {
  const emptied = new Promise<void>((resolve) => {
    gate.onEmpty = resolve;
  });
  gate.open();
  const eclair = client();
  eclair.write("hello");
  await said(eclair);
  const ended = closed(eclair);
  sessions[0]?.destroy();
  await ended;
  await emptied;
  expect(gate.isOpen).toBe(true);
});
