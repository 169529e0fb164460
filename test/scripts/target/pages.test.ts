import { expect, test } from "vitest";
import { allItems } from "../../../scripts/target/pages.ts";

test("the items of every page, in their order", async () => {
  async function* pages() {
    yield* await Promise.resolve([{ items: ["a", "b"] }, {}, { items: ["c"] }]);
  }
  expect(await allItems(pages(), (page: { items?: string[] }) => page.items)).toEqual(["a", "b", "c"]);
});
