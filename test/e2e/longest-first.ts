import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, in that order; the others follow. Begun last, one of them would run alone at the end. */
const longest = [
  "drills",
  "trouble",
  "replace",
  "failover",
  "refusals",
  "identity",
  "reimage",
  "adopt",
  "ec2",
];

const rank = ({ moduleId }: TestSpecification): number => {
  const index = longest.indexOf(basename(moduleId, ".test.ts"));
  return index === -1 ? longest.length : index;
};

/** Runs the files of tests that take longest first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return await Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)));
  }
}
