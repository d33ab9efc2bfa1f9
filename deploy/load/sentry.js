// Sentry's envelopes: errors of 5 KB in two hundred kinds.
import http from "k6/http";
import { kept, plan, random, report, world } from "./plan.js";

export const options = plan("sentry", 20, 500);
export const handleSummary = report;

const frames = (kind) => Array.from({ length: 12 }, (_, f) => ({ filename: `shop/layer${f}.py`, abs_path: `/srv/shop/layer${f}.py`, function: `handle_${f}_${kind}`, module: `shop.layer${f}`, lineno: 10 + f, pre_context: ["def handle(self, order_id):", "    # the order may be gone"], context_line: "    return self.orders.get(order_id).total", post_context: ["", ""], in_app: f > 5, vars: { order_id: "41", self: "<shop.Orders object>" } }));

export default function sentry() {
  const id = random(32);
  const kind = (Math.random() * 200) | 0;
  const n = (Math.random() * 5000) | 0;
  const event = JSON.stringify({
    event_id: id, timestamp: new Date().toISOString(), platform: "python", level: "error", release: `shop@1.${n % 20}.0`, environment: "production", server_name: `web-${n % 8}`, transaction: `/orders/${n}`,
    user: { id: `${n}`, email: `u${n}@example.com` }, tags: { region: ["eu", "us", "ap"][n % 3] }, contexts: { runtime: { name: "CPython", version: "3.12.1" }, trace: { trace_id: random(32), span_id: random(16) } },
    request: { url: "https://shop.example.com/orders", method: "GET", headers: { "User-Agent": "Mozilla/5.0" } }, sdk: { name: "sentry.python", version: "2.64.0" },
    exception: { values: [{ type: `Error${kind}`, value: `order ${n} is broken`, stacktrace: { frames: frames(kind) } }] },
  });
  const body = `${JSON.stringify({ event_id: id, sent_at: new Date().toISOString() })}\n${JSON.stringify({ type: "event" })}\n${event}\n`;
  const headers = { "Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": `Sentry sentry_key=${world.project.key}, sentry_version=7, sentry_client=sentry.python/2.64.0` };
  const answer = http.post(`${world.url}/api/${world.project.id}/envelope/`, body, { headers, tags: { name: "envelope" } });
  if (answer.status === 200) kept.add(1);
}
