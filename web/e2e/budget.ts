import type { Page } from "playwright-core";
import { expect } from "vitest";

/** What opening a page may cost: kB of script as the server sends it, whether cached or not, and requests of any kind. */
type Budget = { script: number; requests: number };

/** No page moves what somebody reads; 0.1 is where a visitor begins to notice. */
const shift = 0.1;

const page = (script: number, requests: number): Budget => ({ script, requests });

/** Every page that needs nothing to be there. Raise a figure only with the reason in the commit. */
export const budgets: Record<string, Record<string, Budget>> = {
  "of settings": {
    "/account": page(200, 50),
    "/teams/main/settings/team": page(200, 50),
    "/teams/main/settings/members": page(200, 50),
    "/teams/main/settings/tokens": page(200, 50),
    "/teams/main/settings/secrets": page(200, 50),
    "/teams/main/settings/channels": page(200, 50),
  },
  "of the installation": {
    "/admin/users": page(200, 50),
    "/admin/teams": page(200, 50),
    "/admin/audit": page(200, 50),
    "/admin/jobs": page(200, 50),
    "/admin/health": page(200, 50),
    "/admin/backups": page(200, 50),
  },
  "that join everything": {
    "/teams/main": page(200, 50),
    "/teams/main/timeline": page(200, 50),
    "/teams/main/services": page(200, 50),
  },
  "of pipelines": {
    "/teams/main/ci": page(200, 50),
    "/teams/main/ci/new": page(340, 50),
    "/teams/main/ci/approvals": page(200, 60),
    "/teams/main/ci/packages": page(200, 50),
    "/teams/main/ci/workers": page(200, 60),
    "/teams/main/ci/workers/containers": page(200, 50),
    "/teams/main/ci/workers/volumes": page(200, 50),
  },
  "of GitHub": {
    "/teams/main/ci/hooks": page(200, 60),
    "/teams/main/ci/hooks/repositories": page(200, 60),
    "/teams/main/ci/hooks/addresses": page(200, 60),
    "/teams/main/ci/hooks/deliveries": page(200, 60),
    "/teams/main/ci/hooks/rules": page(200, 60),
    "/teams/main/ci/hooks/posts": page(200, 50),
  },
};

/** What the page that stands there has cost since it was opened. */
async function costOf(page: Page) {
  return page.evaluate(async () => {
    const resources = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
    const scripts = resources.filter(({ name }) => new URL(name).pathname.endsWith(".js"));
    const moved = await new Promise<PerformanceEntryList>((found) => {
      new PerformanceObserver((list) => found(list.getEntries())).observe({ type: "layout-shift", buffered: true });
      requestAnimationFrame(() => requestAnimationFrame(() => found([])));
    });
    type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Element }[] };
    const shifts = (moved as Shift[]).filter((entry) => !entry.hadRecentInput);
    return {
      script: Math.round(scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) / 1000),
      requests: resources.length + 1,
      shift: shifts.reduce((sum, { value }) => sum + value, 0),
      moved: shifts.flatMap(({ sources }) => sources.map(({ node }) => node?.className || node?.nodeName)).join(", "),
    };
  });
}

/** Names the page, the figure and its limit; the test goes on and says all that are exceeded. */
export async function expectWithin(page: Page, path: string, { script, requests }: Budget): Promise<void> {
  const cost = await costOf(page);
  if (process.env.BUDGET) process.stderr.write(`${path}: ${JSON.stringify(cost)}\n`);
  expect.soft(cost.script, `${path}: kB of script`).toBeGreaterThan(0);
  expect.soft(cost.script, `${path}: kB of script`).toBeLessThanOrEqual(script);
  expect.soft(cost.requests, `${path}: requests`).toBeLessThanOrEqual(requests);
  expect.soft(cost.shift, `${path}: layout shift of ${cost.moved}`).toBeLessThan(shift);
}
