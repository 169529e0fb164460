import { expect, test } from "vitest";
import { isMnemonic } from "../../../bootstrap/secrets/on-chain.ts";

const mnemonic = `${"abandon ".repeat(11)}about`;

test("refuses a mnemonic with a wrong checksum", () => {
  expect(isMnemonic(mnemonic)).toBe(true);
  expect(isMnemonic(mnemonic.replace("about", "abandon"))).toBe(false);
  expect(isMnemonic("twelve words that are no mnemonic at all but only look like it")).toBe(false);
});
