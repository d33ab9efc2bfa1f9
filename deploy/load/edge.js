// Nodes' check-ins. k6 knows no Ed25519, so the driver, which holds the nodes' keys,
// signs a stack of them at a time; asking it is not counted. Each user is one node.
import exec from "k6/execution";
import http from "k6/http";
import { kept, plan, report, world } from "./plan.js";

const users = world.nodes.length;
export const options = plan("edge", 10, 500, users);
export const handleSummary = report;

let signed = [];

export default function edge() {
  if (signed.length === 0) {
    const node = world.nodes[exec.vu.idInTest % users];
    signed = http.get(`${world.sign}?node=${node}`, { responseType: "text", tags: { name: "sign", scenario: "driver" } }).json();
  }
  const { path, headers, body } = signed.shift();
  const answer = http.post(world.url + path, body, { headers, tags: { name: "check-in" } });
  if (answer.status === 200) kept.add(1);
}
