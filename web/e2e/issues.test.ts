import { randomUUID } from "node:crypto";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

const server = new Server();
let browser: Browser;

beforeAll(async () => {
  [browser] = await Promise.all([openBrowser(), server.start()]);
});

afterAll(async () => {
  await browser?.close();
  await server.close();
});

/** Sends an error as a client does: an envelope to the address that its DSN names. */
async function report(dsn: string, kind = "TypeError"): Promise<void> {
  const { origin, username, pathname } = new URL(dsn);
  const id = randomUUID().replaceAll("-", "");
  const frame = { function: "total", filename: "src/cart.js", abs_path: "/app/src/cart.js", lineno: 42, colno: 7, in_app: true, pre_context: ["function total(cart) {"], context_line: "  return cart.total;", post_context: ["}"], vars: { cart: "undefined" } };
  const library = { function: "run", filename: "/app/node_modules/web/run.js", lineno: 3, in_app: false };
  const event = {
    event_id: id,
    timestamp: Date.now() / 1000,
    platform: "node",
    level: "error",
    release: "shop@1.4.2",
    environment: "prod",
    tags: { browser: "Chrome 135" },
    user: { id: "7", email: "ann@example.com" },
    request: { method: "GET", url: "https://shop.example/cart" },
    breadcrumbs: { values: [{ timestamp: Date.now() / 1000 - 4, category: "fetch", type: "http", data: { method: "GET", url: "/api/cart", status_code: 204 } }] },
    exception: { values: [{ type: kind, value: "cannot read total of undefined", stacktrace: { frames: [library, frame] } }] },
  };
  const body = [{ event_id: id, dsn }, { type: "event" }, event].map((line) => JSON.stringify(line)).join("\n");
  const answer = await fetch(`${origin}/api${pathname}/envelope/`, { method: "POST", headers: { "x-sentry-auth": `Sentry sentry_version=7, sentry_client=journey/1, sentry_key=${username}` }, body });
  expect(answer.status).toBe(200);
}

it("connects a program, shows its error, resolves it, and sees it come back", async () => {
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/issues");

  // Nothing is there: the page says how to begin.
  await page.getByRole("heading", { name: "No errors yet, because nothing reports here" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("main").getByRole("button", { name: "New project" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill("shop");
  await page.getByRole("dialog").getByLabel("Platform").selectOption("node");
  await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();

  // The set-up page waits, and turns by itself when the program speaks.
  await page.waitForURL("**/issues/projects/shop/setup");
  await page.getByText("Waiting for the first event").waitFor();
  await page.getByText("npm install @sentry/node").waitFor();
  await expectAccessible(page);
  const dsn = (await page.getByRole("button", { name: /^https?:\/\/[0-9a-f]+@/ }).first().textContent()) ?? "";
  await report(dsn);
  await page.getByText("Connected").waitFor();
  await page.getByRole("button", { name: "See the issues" }).click();

  // A mistake in a query is marked where it is.
  const row = page.getByRole("link", { name: /cannot read total of undefined/ });
  await row.waitFor();
  await expectAccessible(page);
  await page.keyboard.press("/");
  await page.keyboard.type("is:odd");
  await page.keyboard.press("Enter");
  await page.locator(".token.bad").waitFor();
  await page.getByRole("button", { name: "Remove is:odd" }).click();
  await row.click();

  // What, where, before, who.
  await page.getByRole("heading", { level: 1, name: /TypeError/ }).waitFor();
  await page.getByText("return cart.total;").waitFor();
  await page.getByText("1 frame from node_modules").waitFor();
  await page.getByText("GET /api/cart 204").waitFor();
  await page.getByRole("link", { name: /browser/ }).first().waitFor();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Grouping" }).click();
  await page.getByRole("heading", { name: "Why these events are one issue" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("link", { name: "Issue", exact: true }).click();

  // Resolved by keyboard; the same error again, and the open page says that it came back.
  await page.keyboard.press("e");
  // Not the view of that name at the left, which is always there: the issue must be resolved before its error comes again.
  await page.getByText(/^Resolved .*by /).waitFor();
  await report(dsn);
  await page.locator(".chip", { hasText: "regressed" }).waitFor();
  await page.getByText(/Came back/).waitFor();

  await open(page, "/teams/main/issues/projects/shop/intake");
  await page.getByText("By reason").waitFor();
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByRole("columnheader", { name: "accepted" }).waitFor();
  await expectAccessible(page);
  await open(page, "/teams/main/issues/projects/shop/keys");
  await page.getByRole("switch").waitFor();
  await expectAccessible(page);
  await open(page, "/teams/main/issues/projects/shop/settings");
  await page.getByLabel("Origins of web pages").waitFor();
  await expectAccessible(page);

  const phone = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signIn(phone.page, "admin", password);
  await open(phone.page, "/teams/main/issues");
  await phone.page.getByRole("link", { name: /cannot read total of undefined/ }).click();
  await phone.page.getByText("return cart.total;").waitFor();
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(phone.page);
  expect([...errors, ...phone.errors]).toEqual([]);
}, 120_000);

it("changes all that match a search, also those that are not shown", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "many", "--team", "main", "--scopes", "*").split("\n").at(-1) ?? "";
  const project = await server.api<{ id: number }>(token, "POST", "/api/v1/issues/projects", { team: "main", name: "many", platform: "node" });
  const { dsn } = await server.api<{ dsn: string }>(token, "GET", `/api/v1/issues/projects/${project.id}/setup`);
  const kinds = Array.from({ length: 56 }, (_, at) => `Error${String.fromCharCode(65 + (at % 26), 65 + Math.floor(at / 26))}`);
  await Promise.all(kinds.map((kind) => report(dsn, kind)));
  const count = () => server.api<{ count: number }>(token, "GET", "/api/v1/issues/issues/count?team=main&project=many&query=is:unresolved");
  await expect.poll(async () => (await count()).count, { timeout: 10_000 }).toBe(kinds.length);

  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/issues?project=many");
  await page.getByLabel("Mark MANY-").first().check();
  await page.getByRole("button", { name: "Mark all that match" }).click();
  const bar = page.getByRole("toolbar", { name: "Marked issues" });
  await bar.getByText("all 56 that match").waitFor();
  await expectAccessible(page);
  await bar.getByRole("button", { name: "Resolve" }).click();
  await page.getByRole("button", { name: "Change them" }).click();
  await page.getByText("56 issues are resolved").first().waitFor();
  await page.getByText("No unresolved issue").waitFor();
  expect((await count()).count).toBe(0);
  expect(errors).toEqual([]);
});

it("writes a rule of grouping, sees it on a real event, and finds what it made", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "rules", "--team", "main", "--scopes", "*").split("\n").at(-1) ?? "";
  const project = await server.api<{ id: number }>(token, "POST", "/api/v1/issues/projects", { team: "main", name: "cart", platform: "node" });
  const { dsn } = await server.api<{ dsn: string }>(token, "GET", `/api/v1/issues/projects/${project.id}/setup`);
  const count = () => server.api<{ count: number }>(token, "GET", "/api/v1/issues/issues/count?team=main&project=cart");
  await report(dsn);
  await expect.poll(async () => (await count()).count, { timeout: 10_000 }).toBe(1);

  // A mistake is shown at its line, and the preview says where the event would go.
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/issues/projects/cart/grouping");
  const rules = page.getByLabel("Rules of this project");
  await rules.fill("# carts\ntype:TypeError");
  await page.getByText("An arrow and a fingerprint are missing").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Line 2" }).click();
  await rules.fill('# carts\ntype:TypeError -> cart title="The cart is broken"');
  await page.getByText("it would go elsewhere").waitFor();
  await page.getByRole("region", { name: "With these rules" }).getByText("The cart is broken", { exact: true }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("The rules hold for what comes from now on").first().waitFor();
  await report(dsn);
  await open(page, "/teams/main/issues?project=cart");
  await page.getByRole("link", { name: /The cart is broken/ }).waitFor();
  expect((await count()).count).toBe(2);
  expect(errors).toEqual([]);
});
