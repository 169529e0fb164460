import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { FailuresAtOnce } from "./test/support/failures-at-once.ts";
import { LongestFirst } from "./test/support/longest-first.ts";

/** The file for the results of all tests, in JSON. */
const report = process.env["ECLAIR_AMI_TEST_REPORT"];
const endToEnd = process.env["ECLAIR_AMI_E2E"] === "1";

const endToEndTests = "test/e2e/**/*.test.ts";
/** Files that replace a module with a mock, which must not reach other files. */
const mockingTests = globSync("test/**/*.test.ts", {
  cwd: import.meta.dirname,
  exclude: [endToEndTests],
}).filter((file) => readFileSync(join(import.meta.dirname, file), "utf8").includes("vi.mock("));

const unit = {
  // No unit test may reach AWS, whatever the environment of this machine contains.
  env: { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_EC2_METADATA_DISABLED: "true" },
  maxWorkers: "100%",
  sequence: { groupOrder: 0 },
  // A busy machine is slow; a test that hangs still ends.
  testTimeout: 20_000,
  expect: { poll: { timeout: 10_000 } },
} as const;

export default defineConfig({
  test: {
    // What product code logs is shown for a test that fails.
    silent: "passed-only",
    reporters: [
      "default",
      new FailuresAtOnce(),
      ...(report === undefined ? [] : [["json", { outputFile: report }] satisfies [string, object]]),
    ],
    // vitest reads the sequencer only here, and not in a project.
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          ...unit,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [endToEndTests, ...mockingTests],
          // A worker loads each module once for all its files: that halves the duration.
          isolate: false,
        },
      },
      { extends: true, test: { ...unit, name: "unit-mocks", include: mockingTests } },
      ...(endToEnd
        ? [
            {
              extends: true as const,
              test: {
                name: "e2e",
                include: [endToEndTests],
                globalSetup: ["test/e2e/one-lab.ts"],
                // Each file has its own clusters in one lab, and waits for most of its time. The clusters of three files leave
                // a slow machine of two processors too little time: the product's own timeouts expire.
                maxWorkers: 2,
                sequence: { groupOrder: 1 },
                testTimeout: 480_000,
                hookTimeout: 600_000,
              },
            },
          ]
        : []),
    ],
  },
});
