import type { Browser, Page } from "playwright-core";
import { bench, describe } from "vitest";
import { openBrowser, openPage, signIn } from "./browser";
import { Machine } from "./edge-fleet";
import { password, Server } from "./server";

// How much script a frame of the grid costs with ten thousand nodes: `make build`, then
// npx vitest bench --run --config web/vitest.e2e.config.ts edge-grid

const nodes = 10_000;
const words = ["", "debian/12/amd64", "20261121-build-42", "accepted", "idle", "succeeded", "failed", "staged", "staging", "installing", "deferred", "quarantined", ...Array.from({ length: 40 }, (_, at) => `site-${at}`)];
const states = [4, 5, 5, 5, 7, 7, 8, 9, 10, 6, 11];

function cells(from: number, to: number, turn: number) {
  return Array.from({ length: to - from }, (_, at) => {
    const n = from + at;
    return [`n${n}`, `edge-${n}`, 12 + (n % 40), 1, 2, 0, 3, states[(n + turn) % states.length] ?? 4, -1, 30, n % 50 === 0 ? 1 : 0, n % 3];
  });
}

/** Answers for a fleet that is not there; each question after the first brings two hundred changes. */
async function pretend(page: Page): Promise<void> {
  const counts = { states: { accepted: nodes }, agent_states: { succeeded: 3000, staged: 2000, idle: 900, failed: 900 }, offline: 200, lost: 0, sites: Object.fromEntries(words.slice(12).map((site) => [site, nodes / 40])), variants: {}, bundles: {} };
  let turn = 0;
  await page.route("**/api/v1/edge/grid?*", (route) => {
    turn++;
    const since = new URL(route.request().url()).searchParams.has("since");
    const from = since ? (turn * 200) % nodes : 0;
    return route.fulfill({ json: { at: turn, words, counts, total: nodes, cells: cells(from, since ? from + 200 : nodes, turn) } });
  });
  await page.route("**/api/v1/edge/nodes?*", (route) => route.fulfill({ json: { items: [], total: nodes, counts, at: 1 } }));
}

type Traced = { name: string; pid: number; tid: number; ts: number; dur?: number; tdur?: number };

const script = new Set(["EvaluateScript", "FireAnimationFrame", "FunctionCall", "RunMicrotasks", "TimerFire", "XHRReadyStateChange"]);

// What ends the script of a frame, whichever of them this Chromium tells of.
const framed = new Set(["PrePaint", "UpdateLayerTree", "Layerize", "Commit"]);

/** Milliseconds of script in each frame, by the clock of the page's thread: what else the machine does is not counted. */
function perFrame(events: Traced[]): number[] {
  const calls = events.filter(({ name }) => script.has(name));
  const busiest = calls.reduce((sums, { pid, tid, tdur = 0 }) => sums.set(`${pid} ${tid}`, (sums.get(`${pid} ${tid}`) ?? 0) + tdur), new Map<string, number>());
  const main = [...busiest].toSorted((a, b) => b[1] - a[1])[0]?.[0];
  const own = events.filter(({ pid, tid }) => `${pid} ${tid}` === main).toSorted((a, b) => a.ts - b.ts);
  const frames: number[] = [0];
  let until = 0;
  for (const { name, ts, dur = 0, tdur = 0 } of own) {
    if (framed.has(name)) frames.push(0);
    // What is called within a call is counted with it.
    if (!script.has(name) || ts < until) continue;
    until = ts + dur;
    frames[frames.length - 1] = (frames.at(-1) ?? 0) + tdur / 1000;
  }
  return frames;
}

const frame = (page: Page) => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));

/** Does something so many times, and says how much script the frames took in which there was any. */
async function measure(page: Page, name: string, times: number, act: (at: number) => Promise<unknown>): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const events: Traced[] = [];
  devtools.on("Tracing.dataCollected", ({ value }) => events.push(...(value as unknown as Traced[])));
  await devtools.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["devtools.timeline", "devtools.timeline.frame", "disabled-by-default-devtools.timeline"] } });
  for (let at = 0; at < times; at++) {
    await act(at);
    for (let next = 0; next < 4; next++) await frame(page);
  }
  const told = new Promise((end) => devtools.once("Tracing.tracingComplete", end));
  await devtools.send("Tracing.end");
  await told;
  await devtools.detach();
  const costs = perFrame(events).filter((cost) => cost > 0.05).toSorted((a, b) => a - b);
  const at = (part: number) => (costs[Math.min(costs.length - 1, Math.floor(costs.length * part))] ?? 0).toFixed(2);
  process.stdout.write(`${nodes} nodes, ${name}: script in ${costs.length} frames median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms\n`);
}

async function all(browser: Browser, server: Server): Promise<void> {
  const { page } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await pretend(page);
  await page.goto("/teams/main/edge");
  const grid = page.getByRole("application");
  await grid.waitFor();
  const box = await grid.boundingBox();
  if (!box) throw new Error("there is no grid");
  await measure(page, "the pointer moves over them", 120, (at) => page.mouse.move(box.x + 10 + ((at * 37) % (box.width - 20)), box.y + 30 + ((at * 13) % 500)));
  await grid.focus();
  await measure(page, "an arrow moves the mark", 60, () => page.keyboard.press("ArrowRight"));
  // Every question after the first brings two hundred nodes that changed, as every few seconds in a fleet at work.
  const token = server.command("token", "create", "--user", "admin", "--name", "bench", "--scopes", "*").split("\n").at(-1) ?? "";
  const made = await server.api<{ token: string }>(token, "POST", "/api/v1/edge/tokens", { team: "main", name: "bench", max_uses: 100 });
  await measure(page, "two hundred have changed", 15, async (at) => {
    const told = page.waitForResponse(/edge\/grid/);
    await new Machine(server, `new-${at}`).enrol(made.token);
    await told;
  });
  // A change of the window lays all of them out and paints them anew.
  await measure(page, "all are painted anew", 20, (at) => page.setViewportSize({ width: 1440 - (at % 2) * 40, height: 900 }));
}

describe("the grid", () => {
  bench(
    "frames",
    async () => {
      const server = new Server();
      const [browser] = await Promise.all([openBrowser(), server.start()]);
      try {
        await all(browser, server);
      } finally {
        await browser.close();
        await server.close();
      }
    },
    { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 },
  );
});
