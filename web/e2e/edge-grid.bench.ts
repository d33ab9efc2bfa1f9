import type { Browser, CDPSession, Page } from "playwright-core";
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

/** Milliseconds of script so far, as Chromium counts them. */
async function scripted(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send("Performance.getMetrics");
  return (metrics.find(({ name }) => name === "ScriptDuration")?.value ?? 0) * 1000;
}

const frame = (page: Page) => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));

const watched = 6;

/** Does something so many times and looks at the frames that follow; says the script of each, without what looking itself costs. */
async function measure(page: Page, devtools: CDPSession, name: string, times: number, act: (at: number) => Promise<unknown>): Promise<void> {
  const costs: number[] = [];
  for (let at = 0; at < times; at++) {
    await frame(page);
    const idle = await scripted(devtools);
    await frame(page);
    let before = await scripted(devtools);
    const looking = before - idle;
    await act(at);
    for (let next = 0; next < watched; next++) {
      await frame(page);
      const now = await scripted(devtools);
      costs.push(Math.max(0, now - before - looking));
      before = now;
    }
  }
  costs.sort((a, b) => a - b);
  const at = (part: number) => (costs[Math.min(costs.length - 1, Math.floor(costs.length * part))] ?? 0).toFixed(2);
  process.stdout.write(`${nodes} nodes, ${name}: script per frame median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms\n`);
}

async function all(browser: Browser, server: Server): Promise<void> {
  const { page } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await pretend(page);
  await page.goto("/teams/main/edge");
  const grid = page.getByRole("application");
  await grid.waitFor();
  const devtools = await page.context().newCDPSession(page);
  // By the clock of the thread: what else the machine does is not counted.
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const box = await grid.boundingBox();
  if (!box) throw new Error("there is no grid");
  await measure(page, devtools, "the pointer moves over them", 120, (at) => page.mouse.move(box.x + 10 + ((at * 37) % (box.width - 20)), box.y + 30 + ((at * 13) % 500)));
  await grid.focus();
  await measure(page, devtools, "an arrow moves the mark", 60, () => page.keyboard.press("ArrowRight"));
  // Every question after the first brings two hundred nodes that changed, as every few seconds in a fleet at work.
  const token = server.command("token", "create", "--user", "admin", "--name", "bench", "--scopes", "*").split("\n").at(-1) ?? "";
  const made = await server.api<{ token: string }>(token, "POST", "/api/v1/edge/tokens", { team: "main", name: "bench", max_uses: 100 });
  await measure(page, devtools, "two hundred have changed", 15, async (at) => {
    const told = page.waitForResponse(/edge\/grid/);
    await new Machine(server, `new-${at}`).enrol(made.token);
    await told;
  });
  // A change of the window lays all of them out and paints them anew.
  await measure(page, devtools, "all are painted anew", 20, (at) => page.setViewportSize({ width: 1440 - (at % 2) * 40, height: 900 }));
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
