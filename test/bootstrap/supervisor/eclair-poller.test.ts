import { beforeEach, expect, test, vi } from "vitest";
import type { readEclairInfo } from "../../../bootstrap/eclair/info.ts";
import type { Slot } from "../../../bootstrap/eclair/slot.ts";
import type { NodeContext } from "../../../bootstrap/supervisor/context/node-context.ts";
import { EclairPoller } from "../../../bootstrap/supervisor/eclair-poller.ts";

const mocks = vi.hoisted(() => ({ readEclairInfo: vi.fn<typeof readEclairInfo>() }));
vi.mock("../../../bootstrap/eclair/info.ts", () => mocks);

const contextWith = (apiPassword: string) =>
  ({ secrets: { apiPassword }, node: { configuration: { nodeId: "02aa" } } }) as NodeContext;
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
  reloader.next = undefined;
  processes.open = {} as Slot;
  poller = new EclairPoller(reloader, processes);
});

test("calls no API while no Eclair is connected to the database", async () => {
  processes.open = undefined;
  await poller.poll();
  expect(mocks.readEclairInfo).not.toHaveBeenCalled();
});

test("keeps the last answer of Eclair until Eclair stops answering or ends", async () => {
  await poller.poll();
  expect(poller.info).toEqual(infoOf("02aa"));
  mocks.readEclairInfo.mockResolvedValueOnce(undefined);
  await poller.poll();
  expect(poller.info).toBeUndefined();
  await poller.poll();
  poller.reset();
  expect(poller.info).toBeUndefined();
});

test("ignores the answer of an Eclair that ended in the meantime", async () => {
  mocks.readEclairInfo.mockImplementationOnce(async () => {
    processes.open = {} as Slot;
    return await Promise.resolve(infoOf("02bb"));
  });
  await poller.poll();
  expect(poller.info).toBeUndefined();
  expect(poller.unexpectedNodeId).toBeUndefined();
});

test("never forgets that an Eclair started as another node", async () => {
  mocks.readEclairInfo.mockResolvedValueOnce(infoOf("02bb"));
  await poller.poll();
  poller.reset();
  await poller.poll();
  expect(poller.unexpectedNodeId).toBe("02bb");
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
