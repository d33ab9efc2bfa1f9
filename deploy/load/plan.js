// What every script here has in common: the world that the driver made, a
// constant rate, and what is still good enough.
import { Counter } from "k6/metrics";

export const world = JSON.parse(open(__ENV.WORLD));
const scale = Number(__ENV.SCALE || 1);
const patience = Number(__ENV.PATIENCE || 1);
const seconds = Number(__ENV.SECONDS || 20);

// What the server has acknowledged: deliveries, events, lines. The driver compares it with what is there.
export const kept = new Counter("kept");

// plan is the options of one script: so many iterations a second, and the
// slowest twentieth still below so many milliseconds.
export function plan(name, perSecond, milliseconds, users = 20) {
  const rate = Math.max(1, Math.round(perSecond * scale * 10));
  const most = Math.min(200, Math.ceil(users * Math.max(1, scale)));
  return {
    scenarios: {
      [name]: { executor: "constant-arrival-rate", exec: __ENV.TOGETHER ? name : "default", rate, timeUnit: "10s", duration: `${seconds}s`, preAllocatedVUs: most, maxVUs: most, gracefulStop: "30s" },
    },
    thresholds: {
      [`http_req_failed{scenario:${name}}`]: ["rate<0.001"],
      [`http_req_duration{scenario:${name}}`]: [`p(95)<${Math.round(milliseconds * patience)}`],
      // Shown, not judged: http_reqs and what was kept; an arrival that found no free user was dropped.
      [`http_reqs{scenario:${name}}`]: ["count>0"],
      [`kept{scenario:${name}}`]: ["count>=0"],
      [`dropped_iterations{scenario:${name}}`]: [`count<=${Math.ceil((rate / 10) * seconds * 0.01)}`],
    },
    summaryTrendStats: ["med", "p(95)", "p(99)", "max"],
    discardResponseBodies: true,
    noConnectionReuse: false,
    systemTags: ["status", "method", "name", "scenario", "error_code"],
  };
}

// report leaves the figures to the driver.
export const report = (data) => ({ [__ENV.SUMMARY]: JSON.stringify(data.metrics) });

// bearer are the headers of a client with the world's token.
export const bearer = (type) => ({ Authorization: `Bearer ${world.token}`, "Content-Type": type });

const hex = "0123456789abcdef";

// random is n random hex digits.
export function random(n) {
  let out = "";
  for (let i = 0; i < n; i++) out += hex[(Math.random() * 16) | 0];
  return out;
}

const words = ["order", "cart", "payment", "customer", "stock", "retry", "timeout", "shipped", "queued", "cached", "refused", "granted"];
const pick = () => words[(Math.random() * words.length) | 0];

// line is what a program logs: a few words, some of them rare.
export const line = () => `${pick()} ${pick()} took ${(Math.random() * 900) | 0}ms request=${random(12)} user=${(Math.random() * 5000) | 0} path=/api/${pick()}/${(Math.random() * 1000) | 0}`;
