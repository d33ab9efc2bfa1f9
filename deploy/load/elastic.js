// Elasticsearch's bulk as Filebeat sends it: a hundred documents.
import http from "k6/http";
import { bearer, kept, line, plan, report, world } from "./plan.js";

export const options = plan("elastic", 10, 500);
export const handleSummary = report;

const lines = 100;

export default function elastic() {
  const at = new Date().toISOString();
  let body = "";
  for (let i = 0; i < lines; i++) {
    body += `{"create":{"_index":"filebeat"}}\n${JSON.stringify({ "@timestamp": at, message: line(), load: "elastic", host: { name: `web-${i % 4}` }, log: { level: "info" } })}\n`;
  }
  const answer = http.post(`${world.url}/elasticsearch/_bulk?_stream_fields=load`, body, { headers: bearer("application/x-ndjson"), tags: { name: "bulk" } });
  if (answer.status === 200) kept.add(lines);
}
