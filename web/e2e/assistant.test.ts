import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
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

it("answers a question, shows what it looked up, and says what it does not understand", async () => {
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/assistant");
  const box = page.getByRole("textbox", { name: "Ask about main" });
  await box.fill("Which builds are failing?");
  await expectAccessible(page);
  await page.keyboard.press("Enter");

  // Nothing runs here yet, and the answer says so, with the look-up that it rests on.
  await page.getByRole("heading", { level: 1, name: "Which builds are failing?" }).waitFor();
  await page.getByText("There are no pipelines in main yet.").waitFor();
  await page.getByText("ci_pipelines_list").click();
  await page.getByText("→ pipelines").waitFor();
  await page.getByRole("group", { name: "Form of results" }).getByRole("button", { name: "Raw" }).click();
  await page.getByRole("region", { name: "Result" }).waitFor();

  // Asked again with a planner, the two answers stand side by side; a model is not there.
  await page.getByRole("button", { name: "With plans" }).click();
  await page.getByRole("article", { name: "Asked again" }).getByText("There are no pipelines in main yet.").waitFor();
  await page.getByRole("button", { name: "With the language model" }).click();
  await page.getByText("No language model is set up here.").waitFor();
  await expectAccessible(page);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export as a test case" }).click()]);
  expect(file.suggestedFilename()).toMatch(/^run-.*\.yaml$/);

  // A word that it does not know is never ignored: it says so, and what it can do instead.
  const next = page.getByRole("textbox", { name: "Ask on in this conversation" });
  await next.fill("which builds wobble?");
  await page.keyboard.press("Enter");
  await page.getByText("I did not understand “wobble”").waitFor();
  await page.getByRole("list", { name: "Questions that are answered" }).getByRole("button", { name: "Which builds are running?" }).click();
  await page.getByText("No running builds.").waitFor();

  await open(page, "/teams/main/assistant/settings");
  await page.getByLabel("It may read").fill("not a repository");
  await page.getByRole("form", { name: "Repositories" }).getByRole("button", { name: "Save" }).click();
  await page.getByText("is not owner/name").waitFor();
  await page.getByLabel("It may read").fill("acme/shop");
  await page.getByRole("form", { name: "Repositories" }).getByRole("button", { name: "Save" }).click();
  await page.getByText("The assistant reads these from now on").first().waitFor();
  await expectAccessible(page);

  // Every run is listed, and those that somebody should look at can be picked out.
  await page.getByRole("link", { name: "Runs" }).click();
  await page.getByRole("table", { name: "Runs" }).getByRole("link", { name: "which builds wobble?" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("group", { name: "Which runs" }).getByRole("button", { name: "Did not help" }).click();
  await page.getByText("No such run", { exact: true }).waitFor();

  const phone = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signIn(phone.page, "admin", password);
  await open(phone.page, "/teams/main/assistant");
  await phone.page.getByRole("button", { name: "What new errors came in today?" }).click();
  await phone.page.getByText("No new errors").waitFor();
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(phone.page);
  expect([...errors, ...phone.errors]).toEqual([]);
});

it("asks from any page about what it shows, in one conversation that goes along", async () => {
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/logs?q=service:payments");
  await page.getByRole("button", { name: "Go anywhere, run anything" }).waitFor();
  await page.keyboard.press("Control+j");
  const panel = page.getByRole("dialog", { name: "Ask" });
  await panel.getByText("about logs: service:payments").waitFor();
  await page.keyboard.type("any error lines in the logs?");
  await page.keyboard.press("Enter");
  const talk = panel.getByRole("log", { name: "Conversation" });
  await talk.getByText("No error lines").waitFor();

  // The page goes, the conversation stays; what it is about can be taken away.
  await panel.getByRole("button", { name: "Not about logs: service:payments" }).click();
  await panel.getByText("about logs").waitFor({ state: "detached" });
  await panel.getByRole("textbox").fill("Which builds are failing?");
  await page.keyboard.press("Enter");
  await talk.getByText("There are no pipelines in main yet.").waitFor();
  await talk.getByRole("link", { name: "how I got this" }).first().click();
  await page.getByText("at logs: service:payments").waitFor();

  // The palette knows it too, and a phone has room for it.
  const phone = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signIn(phone.page, "admin", password);
  await open(phone.page, "/teams/main/ci");
  await phone.page.getByRole("button", { name: "Go anywhere, run anything" }).click();
  const palette = phone.page.getByRole("combobox", { name: "Search for a page or an action" });
  await palette.fill("ask the assistant");
  await palette.press("Enter");
  await phone.page.getByRole("dialog", { name: "Ask" }).getByRole("textbox").fill("Which builds are running?");
  await phone.page.keyboard.press("Enter");
  await phone.page.getByText("No running builds.").waitFor();
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(phone.page);
  expect([...errors, ...phone.errors]).toEqual([]);
});

it("holds what a client would change until a person has pressed", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "client", "--scopes", "*").split("\n").at(-1) ?? "";
  const jobs = "jobs: [{name: hello, plan: [{task: hello, config: {platform: linux, run: {path: 'true'}}}]}]";
  await server.api(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name: "shop", yaml: jobs });
  await server.api(token, "PUT", "/api/v1/assistant/settings", { team: "main", repositories: [], default_repository: "", writes: "confirm" });
  const client = new Client({ name: "journey", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/assistant/approvals");
  await page.getByRole("region", { name: "Add to an MCP client" }).getByText(`${server.url}/mcp`).waitFor();

  // What it asks for comes by itself; one is let happen, the other is not, and both are told of.
  for (const name of ["ci_pipeline_unpause", "ci_pipeline_pause"]) await client.callTool({ name, arguments: { team: "main", pipeline: "shop" } });
  const card = (name: RegExp) => page.getByRole("article", { name });
  await card(/^Unpause a pipeline/).getByRole("button", { name: "Approve" }).click();
  await card(/^Pause a pipeline/).getByRole("button", { name: "Deny" }).click();
  await page.getByRole("dialog").getByLabel("Why").fill("it shall run");
  await page.getByRole("dialog").getByRole("button", { name: "Deny" }).click();
  const decided = page.getByRole("table", { name: "Decided" });
  await decided.getByText("Done", { exact: true }).waitFor();
  await decided.getByText("Denied", { exact: true }).waitFor();
  await expectAccessible(page);
  await decided.getByRole("link", { name: /^Pause a pipeline/ }).click();
  await page.getByText("admin denied it: it shall run. Nothing was done.").waitFor();
  await client.close();

  // Slack is set up step by step, and says what a token is that it cannot take.
  await page.getByRole("link", { name: "Slack" }).click();
  await page.getByLabel("Bot token").fill("not a token");
  const form = page.getByRole("form", { name: "Set Slack up" });
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").first().waitFor();
  await expectAccessible(page);
  expect(errors).toEqual([]);
});
