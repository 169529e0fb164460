import { expect, test } from "vitest";
import { Backlog, unacceptedConnections } from "../../../bootstrap/door/backlog.ts";
import { addresses, TestHosts, until } from "./harness.ts";

const { eclairA } = addresses;
const testHosts = new TestHosts();

test("counts the connections that a paused program has not accepted", async () => {
  const eclair = await testHosts.pausableEclair(eclairA);
  const { outer } = testHosts.ports;
  expect(unacceptedConnections(eclairA, outer)).toBe(0);
  await eclair.pause();
  for (let count = 0; count < 3; count += 1) testHosts.client(eclairA);
  await until(() => unacceptedConnections(eclairA, outer) === 3);
  eclair.resume();
  await until(() => unacceptedConnections(eclairA, outer) === 0);
});

test("finds a program that listens on an IPv6 socket, as Java does", async () => {
  const eclair = await testHosts.pausableEclair(`::ffff:${eclairA}`);
  await eclair.pause();
  const { outer } = testHosts.ports;
  expect(unacceptedConnections(eclairA, outer)).toBe(0);
  testHosts.client(eclairA);
  await until(() => unacceptedConnections(eclairA, outer) === 1);
});

test("knows no number for an address at which nothing listens", async () => {
  await testHosts.pausableEclair(eclairA);
  expect(unacceptedConnections(addresses.eclairB, testHosts.ports.outer)).toBeUndefined();
  expect(unacceptedConnections(eclairA, testHosts.ports.inner)).toBeUndefined();
});

test("a backlog of which less than half can be in use is not counted: to list the sockets takes milliseconds", async () => {
  const eclair = await testHosts.pausableEclair(eclairA);
  const { outer } = testHosts.ports;
  const backlog = new Backlog(4);
  await eclair.pause();
  for (let count = 0; count < 4; count += 1) testHosts.client(eclairA);
  await until(() => unacceptedConnections(eclairA, outer) === 4);
  expect(backlog.take()).toBe(true);
  backlog.measure(eclairA, outer);
  expect(backlog.take()).toBe(true);
  backlog.measure(eclairA, outer);
  expect(backlog.take()).toBe(false);
});

test("a backlog has room again when connections were accepted", async () => {
  const eclair = await testHosts.pausableEclair(eclairA);
  const { outer } = testHosts.ports;
  const backlog = new Backlog(2);
  await eclair.pause();
  expect([backlog.take(), backlog.take(), backlog.take()]).toEqual([true, true, false]);
  for (let count = 0; count < 2; count += 1) testHosts.client(eclairA);
  await until(() => unacceptedConnections(eclairA, outer) === 2);
  backlog.measure(eclairA, outer);
  expect(backlog.take()).toBe(false);
  eclair.resume();
  await until(() => unacceptedConnections(eclairA, outer) === 0);
  backlog.measure(eclairA, outer);
  expect(backlog.take()).toBe(true);
});
