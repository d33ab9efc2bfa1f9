import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type Axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect, onTestFailed } from "vitest";

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// The shell is the same engine without a browser around it, and needs half the time of this machine.
const browsers = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? browsers.find(existsSync), args: quiet });
}

/** A page of a fresh profile that fails the test on any script error or refused resource. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<{ page: Page; errors: string[] }> {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 40[0-9]|ERR_NETWORK_CHANGED/.test(message.text())) errors.push(`${message.text()} (${message.location().url}:${message.location().lineNumber})`);
  });
  tellWhenFailed(page, errors);
  return { page, errors };
}

/** What stood there says more than which line waited in vain. */
function tellWhenFailed(page: Page, errors: string[]): void {
  const tell = async () => {
    const text = await page.locator("body").innerText({ timeout: 2000 }).catch(String);
    process.stderr.write(`${page.url()} showed:\n${text.slice(0, 3000)}\nerrors: ${errors.join("\n")}\n`);
  };
  try {
    onTestFailed(tell);
  } catch {
    // A page that is opened for several tests belongs to none of them.
  }
}

/**
 * Opens an address. Containers come and go with network interfaces of this very machine, upon which Chromium
 * gives up requests under way: then it is opened again.
 */
export async function open(page: Page, address: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await page.goto(address);
      return;
    } catch (error) {
      if (tries === 5 || !/ERR_NETWORK_CHANGED|ERR_ABORTED/.test(String(error))) throw error;
    }
  }
}

/** Signs a page in without its form, which costs a load of its own; shell.test.ts fills the form in. Then open a page. */
export async function signIn(page: Page, name: string, password: string): Promise<void> {
  const answer = await page.context().request.post("/api/v1/accounts/session", { data: { name, password } });
  expect(answer.ok(), `sign ${name} in: ${answer.status()}`).toBe(true);
}

// The page reads it once; the usual wrapper sends it twice for each look and opens another page to sum up.
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** No violation of WCAG 2.2 A and AA that axe can find. */
export async function expectAccessible(page: Page): Promise<void> {
  await expectNothing(page, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]);
}

/** The contrasts of the page as it stands, in the dark: all else is as in the light. */
export async function expectReadableInTheDark(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: "dark" });
  await expectNothing(page, ["color-contrast"]);
  await page.emulateMedia({ colorScheme: "light" });
}

async function expectNothing(page: Page, rules: string[]): Promise<void> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const found = await page.evaluate(
    async (runOnly) => {
      // Left alone, axe copies style sheets that it cannot read just then into inline ones: our own policy refuses
      // those, aloud. Only an experimental rule would look at them.
      const options: Axe.RunOptions = { runOnly, preload: { assets: ["media"] }, resultTypes: ["violations"], iframes: false };
      const { violations } = await (window as unknown as { axe: typeof Axe }).axe.run(document, options);
      return violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.target.join(" ")).join("\n  ")}`);
    },
    rules,
  );
  expect(found, `axe on ${page.url()}`).toEqual([]);
}
