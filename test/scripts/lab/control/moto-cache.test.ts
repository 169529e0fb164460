import { expect, test } from "vitest";
import { MotoCache } from "../../../../scripts/lab/control/moto-cache.ts";

test("reads once until the cache is invalidated", async () => {
  const { cache, calls, read } = countedRead();
  expect([await read(), await read()]).toEqual([1, 1]);
  cache.invalidate();
  expect([await read(), await read()]).toEqual([2, 2]);
  expect(calls.count).toBe(2);
});

test("reads again after an invalidation during a read", async () => {
  const { cache, read } = countedRead();
  const first = read();
  cache.invalidate();
  expect([await first, await read()]).toEqual([1, 2]);
});

test("reads again after a failed read", async () => {
  const cache = new MotoCache();
  let calls = 0;
  const read = cache.cached(async () => {
    calls += 1;
    if (calls === 1) throw new Error("unreachable");
    return calls;
  });
  await expect(read()).rejects.toThrow("unreachable");
  expect(await read()).toBe(2);
});

test("caches each key separately", async () => {
  const cache = new MotoCache();
  const keys: string[] = [];
  const read = cache.cachedByKey(async (key) => {
    keys.push(key);
    return key.toUpperCase();
  });
  expect([await read("a"), await read("b"), await read("a")]).toEqual(["A", "B", "A"]);
  expect(keys).toEqual(["a", "b"]);
});

test("reads only the invalidated key again", async () => {
  const cache = new MotoCache();
  const keys: string[] = [];
  const read = cache.cachedByKey(async (key) => {
    keys.push(key);
    return await Promise.resolve(key);
  });
  const readBoth = async () => [await read("a"), await read("b")];
  await readBoth();
  cache.invalidateKey("b");
  await readBoth();
  expect(keys).toEqual(["a", "b", "b"]);
  cache.invalidate();
  await readBoth();
  expect(keys).toEqual(["a", "b", "b", "a", "b"]);
});

function countedRead() {
  const cache = new MotoCache();
  const calls = { count: 0 };
  const read = cache.cached(async () => {
    calls.count += 1;
    return calls.count;
  });
  return { cache, calls, read };
}
