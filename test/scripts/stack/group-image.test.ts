import { expect, test } from "vitest";
import { synthesize } from "../../../infra/synthesize.ts";
import { templateWithRunning } from "../../../scripts/stack/group/image.ts";
import { running, stackDocument } from "../../infra/variants.ts";

const clusterTemplate = (...args: Parameters<typeof synthesize>) => {
  const found = synthesize(...args).at(-1);
  if (found === undefined) throw new Error("no template");
  return found;
};
const old = clusterTemplate(stackDocument(), running);
const replaced = { imageId: "ami-0fedcba9876543210", userData: "eQ==", revision: "2" };

test("a deployed template gets the image that the group runs, and nothing else", () => {
  const next = clusterTemplate(stackDocument({ instance: { type: "m6i.xlarge" } }), replaced);
  // The template that only a `replace` would lead to.
  expect(templateWithRunning(old.template, next)).toEqual(clusterTemplate(stackDocument(), replaced));
});

test("a deployed template that contains the image already needs no step of its own", () => {
  const next = clusterTemplate(stackDocument({ instance: { type: "m6i.xlarge" } }), running);
  expect(templateWithRunning(old.template, next)).toBeUndefined();
});

test("a stack without a group needs no step of its own", () => {
  const empty = clusterTemplate(stackDocument());
  expect(templateWithRunning(empty.template, old)).toBeUndefined();
});
