import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/e2e/longest-first.ts";

const endToEnd = process.env["ECLAIR_AMI_E2E"] === "1";

export default defineConfig({
  test: {
    // What product code logs is shown for a test that fails.
    silent: "passed-only",
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/e2e/**"],
          // No test of these may reach AWS, whatever the machine's environment says.
          env: { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_EC2_METADATA_DISABLED: "true" },
          sequence: { groupOrder: 0 },
        },
      },
      ...(endToEnd
        ? [
            {
              extends: true as const,
              test: {
                name: "e2e",
                include: ["test/e2e/**/*.test.ts"],
                globalSetup: ["test/e2e/one-lab.ts"],
                // Each file has its own clusters in one lab, and most of its time is waiting.
                maxWorkers: 4,
                sequence: { groupOrder: 1, sequencer: LongestFirst },
                testTimeout: 240_000,
                hookTimeout: 300_000,
              },
            },
          ]
        : []),
    ],
  },
});
