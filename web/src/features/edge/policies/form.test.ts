import { expect, it } from "vitest";
import { fresh, textOf } from "./form";

it("writes the policy that the form means", () => {
  const text = textOf({ ...fresh("b-42"), labels: "role=edge-node, region=us-east zone=1", canary: "12", soak: "2h", batch: "5%", approvals: "2", health: "http://127.0.0.1:8080/health" });
  expect(text).toContain('version: "b-42"');
  expect(text).toContain('      matchLabels:\n        role: edge-node\n        region: us-east\n        zone: "1"\n');
  expect(text).toContain("canary: {count: 12, soak: 2h}");
  expect(text).toContain('batchSize: "5%"');
  expect(text).toContain("approval:\n    required: 2");
  expect(text).toContain('healthCheckUrl: "http://127.0.0.1:8080/health"');
});

it("leaves out what is empty", () => {
  const text = textOf({ ...fresh("b"), labels: "", window: "", rate: "", canary: "0", batch: "x" });
  for (const word of ["maintenanceWindow", "pauseOn", "canary", "approval:", "healthCheckUrl"]) expect(text).not.toContain(word);
  expect(text).toContain("matchLabels: {}");
  expect(text).toContain("batchSize: 1\n");
});
