import { createServer, type Server as NetServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

/** Where a webhook leads: it keeps what it is told, and refuses when it is told to. */
class Pager {
  readonly told: { title: string; event: string }[] = [];
  refuses = false;
  readonly #net: NetServer = createServer((request, response) => {
    let body = "";
    request.on("data", (data: Buffer) => (body += data.toString()));
    request.on("end", () => {
      if (!this.refuses) this.told.push(JSON.parse(body) as { title: string; event: string });
      response.writeHead(this.refuses ? 410 : 200).end(this.refuses ? "the pager is gone" : "");
    });
  });

  async start(): Promise<void> {
    await new Promise<void>((ready) => this.#net.listen(0, "127.0.0.1", ready));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#net.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#net.close();
  }
}

const pager = new Pager();
const server = new Server({ SIGNALBOX_OUTBOUND_ALLOW: "127.0.0.1" });
let browser: Browser;

beforeAll(async () => {
  [browser] = await Promise.all([openBrowser(), server.start(), pager.start()]);
});

afterAll(async () => {
  await browser?.close();
  await server.close();
  pager.close();
});

// A build that cannot be run needs no container.
const pipeline = "jobs:\n- name: deploy\n  plan:\n  - load_var: version\n    file: nowhere/version\n";

it("makes a channel, lists its rules with those of others, holds a message in quiet hours, and sends once more what failed", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "journey", "--team", "main", "--scopes", "*").split("\n").at(-1) ?? "";
  const set = await server.api<{ pipeline: { id: number } }>(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name: "site", yaml: pipeline });
  await server.api(token, "POST", `/api/v1/ci/pipelines/${set.pipeline.id}/unpause`);
  const run = () => server.api(token, "POST", "/api/v1/teams/main/pipelines/site/jobs/deploy/builds");
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main");
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("notifications");
  await page.keyboard.press("Enter");
  await page.getByText("Nobody is told when something breaks").waitFor();
  await expectAccessible(page);

  await page.getByRole("button", { name: "Webhook", exact: true }).click();
  await page.getByLabel("Name").fill("Pager");
  await page.getByLabel("Address").fill(pager.url);
  await page.getByLabel(/^Quiet hours/).check();
  await page.getByLabel("Quiet from").fill("00:00");
  await page.getByLabel("Quiet to").fill("00:00");
  // All days but the one three days on: quiet now, wherever this runs.
  const later = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][(new Date().getDay() + 3) % 7] ?? "";
  await page.getByRole("group", { name: /^Days/ }).getByLabel(later).uncheck();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("button", { name: "I have copied it" }).click();
  await page.getByRole("button", { name: "Send a test to Pager" }).click();
  await page.getByText("The test reached Pager").waitFor();
  expect(pager.told[0]?.event).toBe("test");

  await server.api(token, "POST", "/api/v1/logs/alerts", { team: "main", name: "Slow checkout", condition: { kind: "threshold", query: "service:shop", figure: "count()", op: ">", value: 10, minutes: 5 }, actions: [] });
  await page.getByRole("navigation", { name: "Notifications" }).getByRole("link", { name: "Rules" }).click();
  const rules = page.getByRole("table", { name: "Rules" });
  await rules.getByRole("row", { name: /Slow checkout/ }).getByText("nobody", { exact: true }).waitFor();
  await rules.getByRole("row", { name: /A build cannot be run/ }).getByText("Pager").waitFor();
  await expectAccessible(page);
  await rules.getByRole("switch", { name: "Slow checkout is on" }).click();
  await rules.getByRole("row", { name: /Slow checkout/ }).locator(".st").getByText("off", { exact: true }).waitFor();
  await page.getByLabel("Filter rules").fill("rollout");
  await rules.getByRole("row", { name: /Slow checkout/ }).waitFor({ state: "detached" });

  await page.getByRole("navigation", { name: "Notifications" }).getByRole("link", { name: "History" }).click();
  const messages = page.getByRole("table", { name: "Messages" });
  await run();
  const held = messages.getByRole("row", { name: /site\/deploy #1 errored/ });
  await held.getByText("held by the quiet hours").waitFor();
  expect(pager.told).toHaveLength(1);
  pager.refuses = true;
  await held.getByRole("button", { name: /^Send now/ }).click();
  await held.getByText("given up after 1 attempt").waitFor();
  await held.getByText(/answered 410: the pager is gone/).waitFor();
  await expectAccessible(page);
  pager.refuses = false;
  await page.getByRole("button", { name: "Retry all failed" }).click();
  await held.getByText("sent at attempt 2").waitFor();
  expect(pager.told.at(-1)?.title).toMatch(/^site\/deploy #1 errored/);
  expect(errors).toEqual([]);
}, 90_000);
