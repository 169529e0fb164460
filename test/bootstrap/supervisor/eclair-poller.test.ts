import { beforeEach, describe, expect, test, vi } from "vitest";
import type { readDescriptors, readEclairInfo } from "../../../bootstrap/eclair/info.ts";
import type { Slot } from "../../../bootstrap/eclair/slot.ts";
import type { NodeContext } from "../../../bootstrap/supervisor/context/node-context.ts";
import { EclairPoller } from "../../../bootstrap/supervisor/eclair-poller.ts";

const mocks = vi.hoisted(() => ({
  readEclairInfo: vi.fn<typeof readEclairInfo>(),
  readDescriptors: vi.fn<typeof readDescriptors>(),
}));
const clock = vi.hoisted(() => ({ now: 0 }));
vi.mock("../../../bootstrap/eclair/info.ts", () => mocks);
vi.mock("../../../bootstrap/os/clock.ts", () => ({ boottime: () => clock.now }));

const contextWith = (apiPassword: string, descriptors?: { text: string; internal: boolean }[]) =>
  ({
    secrets: { apiPassword, ...(descriptors !== undefined && { watched: { descriptors, birthday: 0 } }) },
    node: { configuration: { nodeId: "02aa" } },
  }) as NodeContext;
const infoOf = (nodeId: string) => ({ eclairInstanceId: "first", nodeId, blockHeight: 7 });

const reloader: { context: NodeContext; next: NodeContext | undefined } = {
  context: contextWith("current"),
  next: undefined,
};
const processes: { open: Slot | undefined } = { open: undefined };
let poller: EclairPoller;
beforeEach(() => {
  mocks.readEclairInfo.mockReset();
  mocks.readEclairInfo.mockResolvedValue(infoOf("02aa"));
  mocks.readDescriptors.mockReset();
  reloader.context = contextWith("current");
  reloader.next = undefined;
  processes.open = {} as Slot;
  poller = new EclairPoller(reloader, processes);
});

test("calls no API while no Eclair is connected to the database", async () => {
  processes.open = undefined;
  await poller.poll();
  expect(mocks.readEclairInfo).not.toHaveBeenCalled();
});

test("keeps the last answer of Eclair while some answers are missing, until Eclair is silent or ends", async () => {
  await poller.poll();
  expect(poller.info).toEqual(infoOf("02aa"));
  mocks.readEclairInfo.mockResolvedValue(undefined);
  clock.now += 9;
  await poller.poll();
  expect(poller.info).toEqual(infoOf("02aa"));
  clock.now += 2;
  await poller.poll();
  expect(poller.info).toBeUndefined();
  expect(poller.silentSeconds).toBe(11);
  mocks.readEclairInfo.mockResolvedValue(infoOf("02aa"));
  await poller.poll();
  expect(poller.silentSeconds).toBe(0);
  poller.reset();
  expect(poller.info).toBeUndefined();
});

test("counts the silence of an Eclair from its connection to the database", () => {
  clock.now += 100;
  poller.expectAnswers();
  clock.now += 30;
  expect(poller.silentSeconds).toBe(30);
  processes.open = undefined;
  expect(poller.silentSeconds).toBe(0);
});

test("ignores the answer of an Eclair that ended in the meantime", async () => {
  mocks.readEclairInfo.mockImplementationOnce(async () => {
    processes.open = {} as Slot;
    return await Promise.resolve(infoOf("02bb"));
  });
  await poller.poll();
  expect(poller.info).toBeUndefined();
  expect(poller.unexpectedKeys).toBeUndefined();
});

test("never forgets that an Eclair started as another node", async () => {
  mocks.readEclairInfo.mockResolvedValueOnce(infoOf("02bb"));
  await poller.poll();
  poller.reset();
  await poller.poll();
  expect(poller.unexpectedKeys).toBe("the node id 02bb");
});

test("also tries the password of a later boot", async () => {
  reloader.next = contextWith("next");
  mocks.readEclairInfo.mockImplementation(
    async (password) => await Promise.resolve(password === "next" ? infoOf("02aa") : undefined),
  );
  await poller.poll();
  expect(mocks.readEclairInfo.mock.calls).toEqual([["current"], ["next"]]);
  expect(poller.info).toEqual(infoOf("02aa"));
});

test("has one call in progress at a time", async () => {
  await Promise.all([poller.poll(), poller.poll()]);
  expect(mocks.readEclairInfo).toHaveBeenCalledTimes(1);
});

describe("the on-chain keys for which Eclair signs", () => {
  const watched = [{ text: "wpkh(a)", internal: false }];
  beforeEach(() => {
    reloader.context = contextWith("current", watched);
  });

  test("are compared once for each Eclair before its first answer counts", async () => {
    mocks.readDescriptors.mockResolvedValueOnce(undefined);
    await poller.poll();
    expect(poller.info).toBeUndefined();
    mocks.readDescriptors.mockResolvedValue(watched);
    await poller.poll();
    await poller.poll();
    expect(poller.info).toEqual(infoOf("02aa"));
    expect(mocks.readDescriptors).toHaveBeenCalledTimes(2);
    expect(poller.unexpectedKeys).toBeUndefined();
  });

  test("are refused when bitcoind's wallet watches others", async () => {
    mocks.readDescriptors.mockResolvedValue([{ text: "wpkh(b)", internal: false }]);
    await poller.poll();
    expect(poller.unexpectedKeys).toMatch(/other on-chain keys than those that bitcoind's wallet watches/);
  });
});
