import { beforeEach, expect, test, vi } from "vitest";
import { Answers } from "../../bootstrap/supervise/answers.ts";
import type { askEclair } from "../../bootstrap/supervise/api.ts";
import type { Means } from "../../bootstrap/supervise/means.ts";
import type { Slot } from "../../bootstrap/supervise/slot.ts";

const { ask } = vi.hoisted(() => ({ ask: vi.fn<typeof askEclair>() }));
vi.mock(import("../../bootstrap/supervise/api.ts"), () => ({ askEclair: ask }));

const meansWith = (apiPassword: string) =>
  ({ secrets: { apiPassword }, node: { configuration: { nodeId: "02aa" } } }) as Means;
const infoOf = (nodeId: string) => ({ instanceId: "first", nodeId, blockHeight: 7 });

const renewal: { means: Means; next: Means | undefined } = { means: meansWith("now"), next: undefined };
const eclairs: { open: Slot | undefined } = { open: undefined };
let answers: Answers;
beforeEach(() => {
  ask.mockReset();
  ask.mockResolvedValue(infoOf("02aa"));
  renewal.next = undefined;
  eclairs.open = {} as Slot;
  answers = new Answers(renewal, eclairs);
});

test("where no Eclair has a way to the database nobody is asked", async () => {
  eclairs.open = undefined;
  await answers.ask();
  expect(ask).not.toHaveBeenCalled();
});

test("what it says stands until it says otherwise, or has ended", async () => {
  await answers.ask();
  expect(answers.info).toEqual(infoOf("02aa"));
  ask.mockResolvedValueOnce(undefined);
  await answers.ask();
  expect(answers.info).toBeUndefined();
  await answers.ask();
  answers.forget();
  expect(answers.info).toBeUndefined();
});

test("the answer of one that has ended meanwhile is nobody's", async () => {
  ask.mockImplementationOnce(async () => {
    eclairs.open = {} as Slot;
    return await Promise.resolve(infoOf("02bb"));
  });
  await answers.ask();
  expect(answers.info).toBeUndefined();
  expect(answers.wrongNode).toBeUndefined();
});

test("one that came up as another node is never forgotten", async () => {
  ask.mockResolvedValueOnce(infoOf("02bb"));
  await answers.ask();
  answers.forget();
  await answers.ask();
  expect(answers.wrongNode).toBe("02bb");
});

test("one that knows another password already is asked with it", async () => {
  renewal.next = meansWith("next");
  ask.mockImplementation(
    async (password) => await Promise.resolve(password === "next" ? infoOf("02aa") : undefined),
  );
  await answers.ask();
  expect(ask.mock.calls).toEqual([["now"], ["next"]]);
  expect(answers.info).toEqual(infoOf("02aa"));
});

test("it is asked once at a time", async () => {
  await Promise.all([answers.ask(), answers.ask()]);
  expect(ask).toHaveBeenCalledTimes(1);
});
