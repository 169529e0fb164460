import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The slowest test files, roughly slowest first: a slow file that starts last would run alone at the end.
 */
const longest = [
  "rotation",
  "replace",
  "stack",
  "drills",
  "setup",
  "chain-snapshot",
  "failover",
  "trouble",
  "reimage",
  "door",
  "refusals",
  "identity",
  "fence",
  "late",
  "older",
  "adopt",
  "release",
  "bitcoind-login",
  "secrets",
  "node",
  "budget",
  "contract",
  "bitcoinds",
  "chain-index",
  "upgrade",
  "tls",
  "ec2",
];

const rank = ({ moduleId }: TestSpecification): number => {
  const index = longest.indexOf(basename(moduleId, ".test.ts"));
  return index === -1 ? longest.length : index;
};

/** Runs the slowest test files first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return await Promise.resolve(files.toSorted((a, b) => rank(a) - rank(b)));
  }
}
