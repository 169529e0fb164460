import { describe, expect, test } from "vitest";
import { unacceptedConnections } from "../../../bootstrap/door/backlog.ts";
import { addresses, alone, everyHost, TestHosts, toOtherHost, toThisHost, until } from "./harness.ts";

const { a, b, eclairB } = addresses;
const testHosts = new TestHosts();

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
    const eclair = await testHosts.pausableEclair(eclairB);
    await eclair.pause();
    const inner = await testHosts.door(b, { unaccepted: 1 });
    inner.update({ ...toThisHost("B", eclairB), ...everyHost });
    const outer = await testHosts.door(a);
    outer.update({ ...toOtherHost("B", b), ...alone });
    testHosts.client(b).socket.write("first");
    await until(() => unacceptedConnections(eclairB, testHosts.ports.outer) === 1);
    testHosts.client(a).socket.write("second");
    await until(() => inner.report().held === 2);
    for (const text of ["third", "fourth"]) testHosts.client(b).socket.write(text);
    await until(() => inner.report().held === 4);
    eclair.resume();
    await until(() => eclair.received.length === 4);
    expect(eclair.received.slice(0, 2)).toEqual(["first", "second"]);
  });

  test("receives all connections that the other door has, and queues them for Eclair", async () => {
    const eclair = await testHosts.pausableEclair(eclairB);
    await eclair.pause();
    const inner = await testHosts.door(b, { unaccepted: 1 });
    inner.update({ ...toThisHost("B", eclairB), ...everyHost });
    const outer = await testHosts.door(a, { unaccepted: 1 });
    outer.update({ ...toOtherHost("B", b), ...alone });
    for (let count = 0; count < 3; count += 1) testHosts.client(a).socket.write("x");
    await until(() => inner.report().held === 3);
    expect(unacceptedConnections(eclairB, testHosts.ports.outer)).toBe(1);
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

  test("never leads to another host, so no connection loops", async () => {
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
