// GitHub's deliveries: pushes of 4 KB, signed over the raw body.
import { hmac } from "k6/crypto";
import http from "k6/http";
import { kept, plan, random, report, world } from "./plan.js";

export const options = plan("webhooks", 20, 500);
export const handleSummary = report;

const commit = (sha) => ({ id: sha, message: `change ${sha.slice(0, 8)} ${"of the shop ".repeat(20)}`, timestamp: new Date().toISOString(), author: { name: "Ann", email: "ann@example.com" }, committer: { name: "Ann", email: "ann@example.com" }, added: [], removed: [], modified: ["shop/orders.py", "README.md"] });

export default function webhooks() {
  const sha = random(40);
  const shop = { id: 1, name: "shop", full_name: "acme/shop", owner: { login: "acme" }, clone_url: "https://github.com/acme/shop.git", default_branch: "main" };
  const body = JSON.stringify({ ref: "refs/heads/main", before: random(40), after: sha, commits: Array.from({ length: 8 }, (_, i) => commit(i === 7 ? sha : random(40))), pusher: { name: "ann" }, sender: { login: "ann" }, repository: shop });
  const headers = { "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": `${random(8)}-${random(4)}-${random(4)}-${random(4)}-${random(12)}`, "X-Hub-Signature-256": `sha256=${hmac("sha256", world.hook.secret, body, "hex")}` };
  const answer = http.post(`${world.url}/hooks/github/${world.hook.id}`, body, { headers, tags: { name: "webhook" } });
  if (answer.status === 202) kept.add(1);
}
