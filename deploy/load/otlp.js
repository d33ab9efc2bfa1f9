// OpenTelemetry's logs over HTTP, as JSON: a hundred records of one service.
import http from "k6/http";
import { bearer, kept, line, plan, random, report, world } from "./plan.js";

export const options = plan("otlp", 10, 500);
export const handleSummary = report;

const lines = 100;

export default function otlp() {
  const now = `${Date.now()}000000`;
  const trace = random(32);
  const logRecords = Array.from({ length: lines }, () => ({ timeUnixNano: now, observedTimeUnixNano: now, severityNumber: 9, severityText: "INFO", body: { stringValue: line() }, traceId: trace, spanId: random(16), attributes: [{ key: "http.route", value: { stringValue: "/orders/{id}" } }] }));
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "load-otlp" } }] };
  const answer = http.post(`${world.url}/v1/logs`, JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ scope: { name: "shop" }, logRecords }] }] }), { headers: bearer("application/json"), tags: { name: "logs" } });
  if (answer.status === 200) kept.add(lines);
}
