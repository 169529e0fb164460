import { createConnection } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Publisher as LibzmqPublisher, Subscriber as LibzmqSubscriber } from "zeromq";
import { Decoder, encodeMessage, greeting, ready } from "../../../../bootstrap/bitcoind/zmq/protocol.ts";
import { Publisher } from "../../../../bootstrap/bitcoind/zmq/publisher.ts";
import { Subscriber } from "../../../../bootstrap/bitcoind/zmq/subscriber.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Publishes until the subscriber has received something: a subscription takes a moment. */
async function publishUntil(received: readonly unknown[], publish: () => unknown): Promise<void> {
  await expect
    .poll(
      async () => {
        await publish();
        return received.length;
      },
      { interval: 20, timeout: 5_000 },
    )
    .toBeGreaterThan(0);
}

function subscribe(port: number, topic: string): string[][] {
  const received: string[][] = [];
  const subscriber = new Subscriber(
    () => createConnection(port, "127.0.0.1"),
    topic,
    (parts) => received.push(parts.map((part) => part.toString())),
  );
  closing.push(() => subscriber.close());
  return received;
}

const long = "x".repeat(70_000);

test("receives the messages of its topic from libzmq", async () => {
  const publisher = new LibzmqPublisher();
  closing.push(() => publisher.close());
  await publisher.bind("tcp://127.0.0.1:*");
  const port = Number(publisher.lastEndpoint?.split(":").at(-1));
  const received = subscribe(port, "rawtx");
  await publishUntil(received, async () => {
    await publisher.send(["hashblock", "not subscribed"]);
    await publisher.send(["rawtx", long, "1"]);
  });
  expect(received[0]).toEqual(["rawtx", long, "1"]);
});

test("sends to libzmq what it has subscribed to", async () => {
  const publisher = new Publisher();
  await publisher.listen(0, "127.0.0.1");
  closing.push(() => publisher.close());
  const subscriber = new LibzmqSubscriber();
  closing.push(() => subscriber.close());
  subscriber.connect(`tcp://127.0.0.1:${publisher.port}`);
  subscriber.subscribe("hashblock");
  const received: string[][] = [];
  void (async () => {
    for await (const parts of subscriber) received.push(parts.map((part) => part.toString()));
  })();
  await publishUntil(received, () => {
    publisher.publish([Buffer.from("rawtx"), Buffer.from("not subscribed")]);
    publisher.publish([Buffer.from("hashblock"), Buffer.from(long)]);
  });
  expect(received[0]).toEqual(["hashblock", long]);
});

test("a subscriber receives the last block, also when the block was announced before it connected", async () => {
  const publisher = new Publisher();
  await publisher.listen(0, "127.0.0.1");
  closing.push(() => publisher.close());
  const [first, last] = ["a", "b"].map((letter) => letter.repeat(32));
  for (const hash of [first, last]) publisher.publishBlock(Buffer.from(hash ?? "").toString("hex"));
  publisher.publish([Buffer.from("rawtx"), Buffer.from("1")]);
  expect(publisher.hasSubscriber("hashblock")).toBe(false);
  const blocks = subscribe(publisher.port, "hashblock");
  const transactions = subscribe(publisher.port, "rawtx");
  await expect.poll(() => blocks.length).toBe(1);
  expect(blocks[0]?.slice(0, 2)).toEqual(["hashblock", last]);
  await expect.poll(() => publisher.hasSubscriber("rawtx")).toBe(true);
  expect(transactions).toEqual([]);
});

test("a subscriber connects again when its publisher has ended", async () => {
  const first = new Publisher();
  await first.listen(0, "127.0.0.1");
  const { port } = first;
  const received = subscribe(port, "rawtx");
  await publishUntil(received, () => first.publish([Buffer.from("rawtx"), Buffer.from("1")]));
  first.close();
  const second = new Publisher();
  await second.listen(port, "127.0.0.1");
  closing.push(() => second.close());
  await expect
    .poll(
      () => {
        second.publish([Buffer.from("rawtx"), Buffer.from("2")]);
        return received.at(-1);
      },
      { interval: 20, timeout: 5_000 },
    )
    .toEqual(["rawtx", "2"]);
});

test("bytes that arrive one by one are the same messages", () => {
  const medium = "x".repeat(300);
  const decoder = new Decoder();
  const stream = Buffer.concat([
    greeting(),
    ready("PUB"),
    encodeMessage([Buffer.from("a"), Buffer.from(medium)]),
  ]);
  const received = [...stream].flatMap((_, index) => decoder.receive(stream.subarray(index, index + 1)));
  expect(received).toEqual([
    { kind: "ready", socketType: "PUB" },
    { kind: "message", parts: [Buffer.from("a"), Buffer.from(medium)] },
  ]);
});

test.each([
  ["another protocol", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), /does not speak ZMTP/],
  [
    "a frame without end",
    Buffer.concat([greeting(), Buffer.from("02ffffffffffffff00", "hex")]),
    /a frame of/,
  ],
  [
    "a peer that requires a password",
    Buffer.concat([greeting().fill("PLAIN\0", 12, 18), Buffer.alloc(0)]),
    /requires authentication/,
  ],
])("%s is refused", (_name, bytes, message) => {
  expect(() => new Decoder().receive(bytes)).toThrow(message);
});
