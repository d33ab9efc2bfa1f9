import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

// Without lines of its own: the pages begin empty, and what came is counted.
const server = new Server({ SIGNALBOX_LOGS_OWN: "false" });
let browser: Browser;

beforeAll(async () => {
  [browser] = await Promise.all([openBrowser(), server.start()]);
});

afterAll(async () => {
  await browser?.close();
  await server.close();
});

/** Sends lines as a shipper does. */
async function push(token: string, lines: Record<string, unknown>[]): Promise<void> {
  const answer = await fetch(`${server.url}/insert/jsonline`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body: lines.map((line) => JSON.stringify(line)).join("\n") });
  expect(answer.ok).toBe(true);
}

/** Two minutes of a shop in which the database goes away. */
function shop() {
  const start = Date.now() - 120_000;
  return Array.from({ length: 300 }, (_, at) => {
    const broken = at % 10 === 0;
    return {
      time: new Date(start + at * 300).toISOString(),
      message: broken ? `connection to 10.0.0.${at % 7} refused` : `charge ${at} accepted in ${at % 90} ms`,
      level: broken ? "error" : "info",
      service: "payments",
      host: `pay-${at % 3}`,
      took_ms: at,
      trace_id: `trace${at}`,
    };
  });
}

it("teaches how to send, searches what came, tails it, and shows what was around it", async () => {
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/logs");

  // Nothing is there: the page has the very command, with a token it makes.
  await page.getByRole("heading", { name: "No logs yet, because nothing sends any here" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Make a token" }).click();
  await page.getByRole("button", { name: "Token filled in" }).waitFor();
  const command = (await page.getByRole("region", { name: "Command" }).textContent()) ?? "";
  const token = /Bearer (\S+?)"/.exec(command)?.[1] ?? "";
  expect(command).toContain(`${server.url}/insert/jsonline`);
  await push(token, shop());

  // The page turns by itself: numbers, rows, fields.
  await page.getByRole("region", { name: /^Lines, / }).waitFor();
  await page.getByText("300 lines", { exact: true }).waitFor();
  await page.getByRole("img", { name: /30 error, 270 info/ }).waitFor();
  await page.getByText("showing the newest 200").waitFor();

  // A press on a level narrows; a mistake is underlined where it stands.
  await page.getByRole("group", { name: "Levels" }).getByRole("button", { name: /^error/ }).click();
  await page.getByText("30 lines", { exact: true }).waitFor();
  expect(new URL(page.url()).searchParams.get("q")).toBe("level:error");
  await page.keyboard.press("/");
  await page.keyboard.press("End");
  await page.keyboard.type(" (a or");
  await page.keyboard.press("Enter");
  await page.getByText("A condition is missing beside or.").waitFor();
  expect(await page.locator(".logs-input u").textContent()).toContain("or");
  await page.goBack();

  // A line opens with its fields; one of them becomes a condition.
  await page.keyboard.press("j");
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Only host pay-2" }).first().waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Only host pay-2" }).first().click();
  await page.getByText("10 lines", { exact: true }).waitFor();

  // Patterns, fields and figures.
  await page.getByRole("link", { name: "Patterns" }).click();
  await page.locator("tr", { hasText: /connection to .* refused/ }).first().waitFor();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Fields" }).click();
  await page.getByRole("button", { name: "took_ms" }).click();
  await page.getByText("95th percentile").waitFor();
  await expectAccessible(page);
  await open(page, `/teams/main/logs?q=${encodeURIComponent("service:payments | stats count() by (level)")}`);
  await page.getByRole("cell", { name: "270" }).waitFor();

  // The live tail shows what comes from now on.
  await open(page, "/teams/main/logs?q=tailed");
  await page.getByText("No line in this stretch of time meets the search").waitFor();
  await page.keyboard.press("l");
  await page.getByText("Live: lines appear as they come in").waitFor();
  await push(token, [{ message: "tailed one", service: "tail" }, { message: "tailed two", level: "warn", service: "tail" }]);
  const row = page.locator(".logs-row", { hasText: "tailed two" });
  await row.waitFor();

  // Around it is what its stream said besides.
  await row.getByRole("button").click();
  await page.getByRole("button", { name: "Lines around it" }).click();
  const around = page.getByRole("dialog", { name: "Lines around it" });
  await around.getByText("tailed one").waitFor();
  await expectAccessible(page);
  await page.keyboard.press("Escape");

  // The whole range as a file.
  await open(page, "/teams/main/logs?q=refused");
  await page.getByText("30 lines", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Export" }).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: "CSV" }).click()]);
  expect(readFileSync(await file.path(), "utf8").trim().split("\n")).toHaveLength(31);

  await open(page, "/teams/main/logs/send?with=fluent-bit");
  await page.getByText("/var/log/containers/*.log").waitFor();
  await expectAccessible(page);

  const phone = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signIn(phone.page, "admin", password);
  await open(phone.page, "/teams/main/logs?q=level%3Aerror");
  await phone.page.locator(".logs-row").first().waitFor();
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(phone.page);
  expect([...errors, ...phone.errors]).toEqual([]);
});
