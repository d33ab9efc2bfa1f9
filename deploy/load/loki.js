// Loki's push as promtail and Alloy send it, as JSON: a hundred lines of one of ten streams.
import http from "k6/http";
import { bearer, kept, line, plan, report, world } from "./plan.js";

export const options = plan("loki", 10, 500);
export const handleSummary = report;

const lines = 100;

export default function loki() {
  const now = Date.now();
  const values = Array.from({ length: lines }, (_, i) => [`${now}${String(i).padStart(6, "0")}`, line()]);
  const stream = { load: "loki", app: `app-${(Math.random() * 10) | 0}`, level: "info" };
  const answer = http.post(`${world.url}/loki/api/v1/push`, JSON.stringify({ streams: [{ stream, values }] }), { headers: bearer("application/json"), tags: { name: "push" } });
  if (answer.status === 204) kept.add(lines);
}
