import { defineConfig } from "vitest/config";
export default defineConfig({
  root: "/work/main",
  test: {
    silent: "passed-only",
    include: ["test/e2e/moto.test.ts"],
    maxWorkers: 1,
    testTimeout: 30000,
    hookTimeout: 60000,
  },
});
