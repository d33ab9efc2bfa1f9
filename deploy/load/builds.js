// Somebody who starts a small build now and then.
import http from "k6/http";
import { bearer, kept, plan, report, world } from "./plan.js";

export const options = plan("builds", 0.2, 1000, 5);
export const handleSummary = report;

export default function builds() {
  const answer = http.post(`${world.url}/api/v1/ci/jobs/${world.job}/trigger`, "{}", { headers: bearer("application/json"), tags: { name: "trigger" } });
  if (answer.status === 200 || answer.status === 201) kept.add(1);
}
