import { createServer, type Server as NetServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

/** Someone else's server that is told of alerts. */
const told: string[] = [];
const receiver: NetServer = createServer((request, answer) => {
  let body = "";
  request.on("data", (data: Buffer) => (body += data.toString()));
  request.on("end", () => {
    told.push(body);
    answer.end();
  });
});

let server: Server;
let browser: Browser;
let token = "";

beforeAll(async () => {
  await new Promise<void>((ready) => receiver.listen(0, "127.0.0.1", ready));
  // Lines are counted here: those of the server itself would come between.
  server = new Server({ SIGNALBOX_OUTBOUND_ALLOW: "127.0.0.1", SIGNALBOX_LOGS_OWN: "false" });
  [browser] = await Promise.all([openBrowser(), server.start()]);
  token = server.command("token", "create", "--user", "admin", "--name", "journey", "--team", "main", "--scopes", "*").split("\n").at(-1) ?? "";
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
  receiver.close();
});

const trace = "0af7651916cd43dd8448eb211c80319c";

/** Sends lines as a shipper does. */
async function push(lines: Record<string, unknown>[]): Promise<void> {
  const answer = await fetch(`${server.url}/insert/jsonline?_stream_fields=service`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body: lines.map((line) => JSON.stringify(line)).join("\n") });
  expect(answer.ok).toBe(true);
}

const shop = () =>
  Array.from({ length: 200 }, (_, at) => ({
    time: new Date(Date.now() - 60_000 + at * 250).toISOString(),
    message: at % 10 === 0 ? `connection refused for ann, password=hunter${at}` : `charge ${at} accepted`,
    level: at % 10 === 0 ? "error" : "info",
    service: at % 2 === 0 ? "payments" : "web",
    customer: `c-${at % 5}`,
    took_ms: at,
    trace_id: trace,
    build_id: 7,
  }));

// Other journeys' containers come and go with network interfaces of this machine, upon which Chromium gives up files
// under way: a page that lacks one says so, and is opened again.
const lost = /Unable to preload CSS|dynamically imported module/;

async function visit(page: Page, address: string): Promise<void> {
  const arrived = page.locator("h1");
  const failed = page.getByRole("alert");
  await expect
    .poll(
      async () => {
        await open(page, address);
        await arrived.or(failed).first().waitFor();
        return arrived.isVisible();
      },
      { timeout: 30_000 },
    )
    .toBe(true);
}

/** Marks a part of a row's message, as somebody does with a mouse. */
const mark = (page: Page, text: string) =>
  page.evaluate((wanted) => {
    for (const row of document.querySelectorAll(".logs-row .msg")) {
      const node = row.firstChild;
      const at = node?.textContent?.indexOf(wanted) ?? -1;
      if (!node || at < 0) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      return;
    }
    throw new Error(`no row says ${wanted}`);
  }, text);

it("masks, limits, keeps searches, makes an alert of one that fires, and reads it all on a phone", async () => {
  await push(shop());
  const { port } = receiver.address() as AddressInfo;
  await server.api(token, "POST", "/api/v1/ci/channels", { team: "main", kind: "webhook", name: "Pager", url: `http://127.0.0.1:${port}/`, secret: "a-secret-of-sixteen" });
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);

  // What came in, and by which way.
  await open(page, "/teams/main/logs/send?with=syslog");
  await page.getByText('syslog_listen: ":514"').waitFor();
  const intake = page.getByRole("region", { name: "What came in" });
  await intake.getByText("200 lines").waitFor();
  await expectAccessible(page);

  // What is masked, tried on lines before it holds.
  await page.getByRole("link", { name: "Masking" }).click();
  await page.getByText("nothing in 200 lines would be masked").waitFor();
  await page.getByLabel("Names of fields").fill("customer");
  await page.getByText("200 of 200 lines would be masked").waitFor();
  await page.getByRole("button", { name: "Pasted" }).click();
  await page.getByRole("textbox", { name: "Lines to try them on" }).fill("token=abcdef customer=ann\nnothing here");
  await page.getByText("1 of 2 lines would be masked").waitFor();
  await expectAccessible(page);
  await page.getByLabel("Names of fields").fill("");
  await page.getByLabel("Expressions").fill("(");
  await page.getByText("is no regular expression").waitFor();
  await page.getByLabel("Expressions").fill("c-\\d+");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("The rules hold for lines that come from now on").first().waitFor();

  // What is kept, and how much may come.
  await page.getByRole("link", { name: "Retention and limits" }).click();
  await page.getByLabel("Days that are kept").fill("99");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/is more than 30/).waitFor();
  await page.getByLabel("Days that are kept").fill("14");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText(/^Days go after 14 days/).waitFor();
  await page.getByRole("link", { name: "service=payments" }).waitFor();
  await expectAccessible(page);

  // A search is kept, changed, and opened again by its name.
  await open(page, "/teams/main/logs?q=level%3Aerror");
  await page.getByText("20 lines", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Save search" }).click();
  const naming = page.getByRole("dialog", { name: "Save this search" });
  await naming.getByLabel("Name").fill("Refusals");
  await naming.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Saved search Refusals" }).waitFor();
  await page.getByRole("link", { name: "All lines" }).click();
  await page.getByText("200 lines", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Refusals" }).click();
  await page.getByText("20 lines", { exact: true }).waitFor();

  // What is marked is searched for, in whole words.
  await mark(page, "onnection refu");
  await page.getByRole("button", { name: "Search for this" }).click();
  await page.getByText("20 lines", { exact: true }).waitFor();
  expect(new URL(page.url()).searchParams.get("q")).toBe('level:error "connection refused"');
  await page.locator(".logs-row .time").first().click();
  const away = (name: string) => page.getByRole("link", { name }).getAttribute("href");
  expect(await away("Build 7")).toBe("/builds/7");
  expect(decodeURIComponent((await away("Errors of this trace")) ?? "")).toContain(`/teams/main/issues?query=trace:${trace}`);

  // It becomes an alert, which is seen firing over what was, and then fires.
  await page.getByRole("button", { name: "Alert from this search" }).click();
  await page.getByText("it would have fired 1 time").waitFor();
  await page.getByText('When there are more than 10 lines of “level:error "connection refused"” within 5 minutes, call the webhook Pager').waitFor();
  await expectAccessible(page);
  await page.getByLabel("Which lines").fill("level:error (");
  await page.getByText("Not yet an alert").waitFor();
  await page.getByLabel("Which lines").fill("level:error");
  await page.getByLabel("Each value of").fill("service");
  await page.getByLabel("Name", { exact: true }).fill("Payments are refused");
  await page.getByRole("button", { name: "Create the alert" }).click();
  await page.getByRole("heading", { level: 1, name: "Payments are refused" }).waitFor();
  await page.getByRole("region", { name: "Firing now" }).getByText("payments").waitFor();
  await page.getByText("sent", { exact: true }).waitFor();
  expect(told.some((body) => body.includes("Payments are refused"))).toBe(true);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Mute" }).click();
  await page.getByRole("menuitem", { name: "for 8 hours" }).click();
  await page.getByText(/^Nobody is told until/).waitFor();
  await page.getByRole("table", { name: "History" }).getByRole("link", { name: "payments" }).click();
  await page.getByText("20 lines", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Alerts" }).first().click();
  await page.getByText("1 alert, 1 firing").waitFor();

  const phone = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signIn(phone.page, "admin", password);
  for (const path of ["alerts", "alerts/new", "masking", "limits", "send?with=otlp-grpc"]) {
    await visit(phone.page, `/teams/main/logs/${path}`);
    expect(await phone.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), path).toBe(true);
    if (path === "alerts" || path === "limits") await expectAccessible(phone.page);
  }
  // Fields are in a drawer where there is no room beside the lines.
  await visit(phone.page, "/teams/main/logs");
  await phone.page.getByRole("button", { name: "Fields" }).click();
  const fields = phone.page.getByRole("dialog", { name: "Fields" });
  await fields.getByRole("button", { name: "payments", exact: true }).click();
  await phone.page.getByText("100 lines", { exact: true }).waitFor();
  await fields.waitFor({ state: "detached" });
  expect([...errors, ...phone.errors].filter((error) => !lost.test(error))).toEqual([]);
}, 120_000);

it("holds a tail while somebody reads further down, and counts what waits above", async () => {
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/logs?live=true");
  await page.getByText("Live: lines appear as they come in").waitFor();
  await push([{ message: "tailed first", service: "tail" }]);
  await page.locator(".logs-row", { hasText: "tailed first" }).waitFor();
  const lines = page.getByRole("region", { name: /^Lines, / });
  await lines.hover();
  await page.mouse.wheel(0, 1200);
  await expect.poll(() => lines.evaluate((pane) => pane.scrollTop)).toBeGreaterThan(100);
  await push([
    { message: "tailed second", service: "tail" },
    { message: "tailed third", service: "tail" },
  ]);
  await page.getByRole("button", { name: "2 new lines" }).click();
  await page.locator(".logs-row", { hasText: "tailed third" }).waitFor();
  await expect.poll(() => lines.evaluate((pane) => pane.scrollTop)).toBe(0);
  await page.getByRole("button", { name: /new line/ }).waitFor({ state: "detached" });
  expect(errors.filter((error) => !lost.test(error))).toEqual([]);
});
