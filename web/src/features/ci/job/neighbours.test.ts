import { expect, it } from "vitest";
import { aJob } from "../fixtures";
import { neighbours } from "./neighbours";

const takes = (...passed: string[]) => ({ name: "repo", resource: "repo", passed, trigger: true });
const jobs = [aJob({ name: "lint" }), aJob({ name: "test" }), aJob({ name: "build", inputs: [takes("lint", "test"), takes("test")] }), aJob({ name: "ship", inputs: [takes("build")] }), aJob({ name: "tell", inputs: [takes(), takes("build")] })];

it.each([
  ["lint", [], ["build"]],
  ["build", ["lint", "test"], ["ship", "tell"]],
  ["ship", ["build"], []],
] as const)("%s stands between %o and %o", (name, before, after) => {
  const job = jobs.find((one) => one.name === name);
  expect(job && neighbours(job, jobs)).toEqual({ before, after });
});
