// JSON lines as Vector sends them: a hundred.
import http from "k6/http";
import { bearer, kept, line, plan, report, world } from "./plan.js";

export const options = plan("jsonlines", 10, 500);
export const handleSummary = report;

const lines = 100;

export default function jsonlines() {
  const at = new Date().toISOString();
  let body = "";
  for (let i = 0; i < lines; i++) body += `${JSON.stringify({ _time: at, _msg: line(), load: "jsonlines", level: "info", cents: (Math.random() * 9000) | 0 })}\n`;
  const answer = http.post(`${world.url}/insert/jsonline?_stream_fields=load`, body, { headers: bearer("application/x-ndjson"), tags: { name: "jsonline" } });
  if (answer.status === 200 || answer.status === 204) kept.add(lines);
}
