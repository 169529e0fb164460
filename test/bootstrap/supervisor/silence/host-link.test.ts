import { createSocket } from "node:dgram";
import { afterEach, describe, expect, test } from "vitest";
import { hostKey } from "../../../../bootstrap/secrets/host-key.ts";
import { HostLink } from "../../../../bootstrap/supervisor/silence/host-link.ts";
import { decodeMessage, encodeMessage } from "../../../../bootstrap/supervisor/silence/host-message.ts";
import { captureLog } from "../../../support/log-capture.ts";

captureLog();
const keyOf = (seedByte: number, cluster: string) =>
  Buffer.from(hostKey(new Uint8Array(32).fill(seedByte), cluster), "hex");
const key = keyOf(1, "demo");
const [holder, first, second] = ["127.0.0.40", "127.0.0.41", "127.0.0.42"] as const;

describe("a message", () => {
  const message = { kind: "ask", id: "1" } as const;
  const datagram = encodeMessage(message, key, first);

  test("is understood by its receiver", () => {
    expect(decodeMessage(datagram, key, first)).toEqual(message);
  });

  test.each([
    ["another receiver", datagram, key, second],
    ["a cluster with another name", datagram, keyOf(1, "other"), first],
    ["a host with another node seed", datagram, keyOf(2, "demo"), first],
    ["a host that receives a part", datagram.subarray(0, 20), key, first],
    ["a host that receives changed bytes", Buffer.concat([datagram, Buffer.from(" ")]), key, first],
  ])("is ignored by %s", (_, bytes, itsKey, receiver) => {
    expect(decodeMessage(bytes, itsKey, receiver)).toBeUndefined();
  });
});

describe("the holder", () => {
  const links: HostLink[] = [];
  afterEach(() => {
    for (const link of links.splice(0)) link.close();
  });
  const port = 20_000 + (process.pid % 20_000);
  const link = async (address: string, mayPromise: () => boolean, itsKey = key) => {
    const created = new HostLink(address, () => itsKey, mayPromise, port);
    links.push(created);
    created.listen();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    return created;
  };

  test("has promises when every claimant promises", async () => {
    const asking = await link(holder, () => false);
    await link(first, () => true);
    await link(second, () => true);
    expect(await asking.askAll([first, second])).toBe(true);
  });

  test.each([
    ["one claimant refuses", () => false, key],
    ["one claimant has another key", () => true, keyOf(2, "demo")],
  ])("has no promises when %s", async (_, mayPromise, itsKey) => {
    const asking = await link(holder, () => false);
    await link(first, () => true);
    await link(second, mayPromise, itsKey);
    expect(await asking.askAll([first, second])).toBe(false);
  });

  test("has no promises when one claimant does not reply, and knows this within 0.4 s", async () => {
    const asking = await link(holder, () => false);
    await link(first, () => true);
    const started = performance.now();
    expect(await asking.askAll([first, second])).toBe(false);
    expect(performance.now() - started).toBeLessThan(400);
  });

  test("finds the hosts that can be reached", async () => {
    const asking = await link(holder, () => false);
    await link(second, () => false);
    expect(await asking.findReachable([first, second])).toEqual([second]);
  });

  test("ignores what another program sends", async () => {
    const asking = await link(holder, () => false);
    await link(first, () => true);
    const stranger = createSocket("udp4");
    stranger.send(Buffer.from("no message"), port, holder);
    stranger.send(Buffer.alloc(2000, 1), port, holder);
    expect(await asking.askAll([first])).toBe(true);
    stranger.close();
  });
});
