import { expect, test } from "vitest";
import { Changes } from "../../scripts/lab/control/changes.ts";

test("what nobody has changed is read once", async () => {
  const { changes, asked, read } = counted();
  expect([await read(), await read()]).toEqual([1, 1]);
  changes.made();
  expect([await read(), await read()]).toEqual([2, 2]);
  expect(asked.times).toBe(2);
});

test("a change while it is read has it read again", async () => {
  const { changes, read } = counted();
  const first = read();
  changes.made();
  expect([await first, await read()]).toEqual([1, 2]);
});

test("what could not be read is tried again", async () => {
  const changes = new Changes();
  let times = 0;
  const read = changes.kept(async () => {
    times += 1;
    if (times === 1) throw new Error("away");
    return times;
  });
  await expect(read()).rejects.toThrow("away");
  expect(await read()).toBe(2);
});

function counted() {
  const changes = new Changes();
  const asked = { times: 0 };
  const read = changes.kept(async () => {
    asked.times += 1;
    return asked.times;
  });
  return { changes, asked, read };
}
