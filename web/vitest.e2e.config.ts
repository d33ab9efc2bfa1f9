import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Journeys in a real browser against the built binary: `make build` first. */
export default defineConfig({
  root: fileURLToPath(new URL("./e2e", import.meta.url)),
  test: {
    include: ["**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Each file has a server and a browser of its own; two cores carry two.
    maxWorkers: 2,
  },
});
