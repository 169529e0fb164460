import { defineConfig } from "vitest/config";

const endToEnd = process.env["ECLAIR_AMI_E2E"] === "1";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/{artifacts,bake,bootstrap,drills,lab,model,nodes,packer}/**/*.test.ts"],
          // No test of these may reach AWS, whatever the machine's environment says.
          env: { AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_EC2_METADATA_DISABLED: "true" },
        },
      },
      ...(endToEnd
        ? [
            {
              test: {
                name: "e2e",
                include: ["test/e2e/**/*.test.ts"],
                globalSetup: ["test/e2e/one-lab.ts"],
                // They share one lab and two cores.
                fileParallelism: false,
                testTimeout: 180_000,
                hookTimeout: 300_000,
              },
            },
          ]
        : []),
    ],
  },
});
