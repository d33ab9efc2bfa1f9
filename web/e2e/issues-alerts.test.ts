import { randomUUID } from "node:crypto";
import { type AddressInfo, createServer, type Server as NetServer } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

/** A mail server that keeps what it is given, and tells when something comes. */
class Post {
  readonly letters: string[] = [];
  readonly #net: NetServer = createServer((socket) => {
    let held = "";
    let inside = false;
    socket.on("error", () => undefined);
    socket.write("220 post\r\n");
    socket.on("data", (data) => {
      held += data.toString();
      for (;;) {
        const end = held.indexOf(inside ? "\r\n.\r\n" : "\r\n");
        if (end < 0) return;
        const said = held.slice(0, end);
        held = held.slice(end + (inside ? 5 : 2));
        if (inside) {
          this.letters.push(said);
          inside = false;
          socket.write("250 kept\r\n");
        } else if (/^data/i.test(said)) {
          inside = true;
          socket.write("354 go on\r\n");
        } else if (/^quit/i.test(said)) socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  });

  async start(): Promise<number> {
    await new Promise<void>((ready) => this.#net.listen(0, "127.0.0.1", ready));
    return (this.#net.address() as AddressInfo).port;
  }

  close(): void {
    this.#net.close();
  }
}

const post = new Post();
let server: Server;
let browser: Browser;

beforeAll(async () => {
  const port = await post.start();
  server = new Server({ SIGNALBOX_SMTP_HOST: "127.0.0.1", SIGNALBOX_SMTP_PORT: String(port), SIGNALBOX_SMTP_FROM: "box@example.com", SIGNALBOX_SMTP_TLS: "none", SIGNALBOX_OUTBOUND_ALLOW: "127.0.0.1" });
  [browser] = await Promise.all([openBrowser(), server.start()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
  post.close();
});

const items = (...list: [string, unknown][]) => list.flatMap(([type, body]) => [JSON.stringify({ type }), JSON.stringify(body)]);

async function send(dsn: string, ...list: [string, unknown][]): Promise<void> {
  const { origin, username, pathname } = new URL(dsn);
  const answer = await fetch(`${origin}/api${pathname}/envelope/`, { method: "POST", headers: { "x-sentry-auth": `Sentry sentry_version=7, sentry_client=journey/1, sentry_key=${username}` }, body: [JSON.stringify({ dsn }), ...items(...list)].join("\n") });
  expect(answer.status).toBe(200);
}

const crash = (version: string) => {
  const frame = { function: "total", filename: "src/cart.js", lineno: 42, in_app: true, context_line: "  return cart.total;" };
  const error = { type: "TypeError", value: "cannot read total of undefined", stacktrace: { frames: [frame] } };
  return { event_id: randomUUID().replaceAll("-", ""), timestamp: Date.now() / 1000, platform: "node", level: "error", release: version, environment: "prod", extra: { iban: "DE89370400440532013000" }, user: { id: "7", email: "ann@example.com" }, exception: { values: [error] } };
};

/** The body of a letter as it is read. */
const read = (letter: string) => letter.replaceAll(/=\r?\n/g, "").replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

it("writes an alert, follows its mail to the event, and goes on to its release, its privacy and a monitor", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "journey", "--team", "main", "--scopes", "*").split("\n").at(-1) ?? "";
  const project = await server.api<{ id: number }>(token, "POST", "/api/v1/issues/projects", { team: "main", name: "shop", platform: "node" });
  const { dsn, check_in_url: checkIn } = await server.api<{ dsn: string; check_in_url: string }>(token, "GET", `/api/v1/issues/projects/${project.id}/setup`);
  await server.api(token, "POST", "/api/v1/ci/channels", { team: "main", kind: "mail", name: "Ops", recipients: ["ops@example.com"] });
  const commit = { id: "e04d118e04d118e04d118e04d118e04d118e04d1", repository: "acme/shop", author_name: "Carol", author_email: "carol@example.com", message: "Guard empty search", timestamp: new Date().toISOString(), patch_set: [{ path: "src/cart.js", type: "M" }] };
  await server.api(token, "POST", "/api/0/organizations/main/releases/", { version: "shop@1.4.2", projects: ["shop"], commits: [commit] });

  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/issues/alerts");

  // A sentence, and what it would have told.
  await page.getByRole("heading", { name: "Nobody is told when something breaks" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Write the first rule" }).click();
  await page.getByLabel("Environment").fill("prod");
  await page.getByText("When an error is new in prod, send mail to Ops, at most once an hour per issue.").waitFor();
  await page.getByText("it would have told nobody").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create the alert" }).click();
  await page.getByText("It has told nobody yet").waitFor();

  // The error comes; the mail leads to its event, and the open page tells of it by itself.
  await send(dsn, ["event", crash("shop@1.4.2")], ["session", { sid: randomUUID(), init: true, status: "exited", errors: 0, started: new Date().toISOString(), attrs: { release: "shop@1.4.2", environment: "prod" } }]);
  await page.getByRole("link", { name: /SHOP-1/ }).waitFor();
  await expect.poll(() => post.letters.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await page.getByText("sent", { exact: true }).waitFor();
  await expectAccessible(page);
  const link = /https?:\/\/\S+\/issues\/\d+\/events\/[0-9a-f]+/.exec(read(post.letters[0] ?? ""))?.[0] ?? "";
  expect(link.startsWith(server.url)).toBe(true);
  await open(page, new URL(link).pathname);
  await page.getByText("return cart.total;").waitFor();
  await page.getByText("Guard empty search").first().waitFor();
  await page.getByRole("link", { name: "Open at e04d118" }).waitFor();
  await expectAccessible(page);

  // Its release: what is in it, and what began with it.
  await page.getByRole("region", { name: "Releases" }).getByRole("link", { name: "shop@1.4.2" }).first().click();
  await page.getByRole("heading", { level: 1, name: "1.4.2" }).waitFor();
  await page.getByText("issues first seen in this release").waitFor();
  await page.getByRole("img", { name: /^Crash-free over time: 100 % in all/ }).waitFor();
  await expectAccessible(page);
  await page.getByRole("link", { name: /^Commits/ }).click();
  await page.getByRole("link", { name: "Guard empty search" }).first().waitFor();

  // A rule of privacy, seen on that event before it is kept.
  await open(page, "/teams/main/issues/projects/shop/privacy");
  await page.getByRole("button", { name: "Add a rule" }).click();
  await page.getByLabel("Name, pattern or path, rule 1").fill("iban");
  await page.getByText("1 value would change").waitFor();
  await page.getByRole("button", { name: "extra.iban" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("The rules hold for what comes from now on").first().waitFor();

  // A job checks in, and the page that waits for it shows it.
  await open(page, "/teams/main/issues/monitors");
  await page.getByText("Waiting for the first check-in").waitFor();
  await expectAccessible(page);
  expect((await fetch(`${checkIn.replace("MONITOR", "backup")}?status=error`)).ok).toBe(true);
  await page.getByRole("link", { name: "backup" }).first().click();
  await page.getByRole("heading", { level: 1, name: "backup" }).waitFor();
  await page.getByRole("heading", { name: "Timeline" }).waitFor();
  await expectAccessible(page);

  // A search is kept for everybody.
  await open(page, "/teams/main/issues?query=is:unresolved%20level:error");
  await page.getByRole("button", { name: "Save view" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Errors only");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Errors only" }).first().waitFor();

  const phone = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signIn(phone.page, "admin", password);
  for (const path of ["alerts", "releases", "monitors", "projects/shop/privacy", "projects/shop/grouping"]) {
    await open(phone.page, `/teams/main/issues/${path}`);
    await phone.page.locator("h1").waitFor();
    expect(await phone.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), path).toBe(true);
    await expectAccessible(phone.page);
  }
  expect([...errors, ...phone.errors]).toEqual([]);
}, 120_000);
