// An assistant's client: lists the tools and calls one that reads, over MCP.
import http from "k6/http";
import { bearer, kept, plan, report, world } from "./plan.js";

export const options = plan("mcp", 4, 1000);
export const handleSummary = report;

const calls = [
  ["logs_line_search", { team: world.team, query: "payment" }],
  ["issues_issue_list", { team: world.team }],
  ["ci_builds_list", { team: world.team }],
];

function rpc(method, params) {
  const headers = { ...bearer("application/json"), Accept: "application/json, text/event-stream" };
  return http.post(`${world.url}/mcp`, JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }), { headers, responseType: "text", tags: { name: method } });
}

export default function mcp() {
  if (Math.random() < 0.1) {
    rpc("tools/list", {});
    return;
  }
  const [name, args] = calls[(Math.random() * calls.length) | 0];
  const answer = rpc("tools/call", { name, arguments: args });
  if (answer.status === 200 && answer.body.includes('"structuredContent"')) kept.add(1);
}
