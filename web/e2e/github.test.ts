import { mkdirSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { FakeGitHub, Pager } from "./github";
import { password, pushOf, Repository, Server } from "./server";

let github: FakeGitHub;
let pager: Pager;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  github = await new FakeGitHub().start("acme/hello", "acme/docs", "acme/site");
  pager = await new Pager().start();
  server = new Server({ SIGNALBOX_OUTBOUND_ALLOW: [github.url, pager.url].map((url) => new URL(url).host).join(",") });
  [, browser] = await Promise.all([server.start(), openBrowser()]);
  mkdirSync(server.repositories, { recursive: true });
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  github?.close();
  pager?.close();
});

const pipeline = (uri: string) => `
resources:
- name: hello
  type: git
  check_every: never
  source: {uri: "file://${uri}", branch: main}
jobs:
- name: build
  plan:
  - get: hello
    trigger: true
  - task: say
    config:
      platform: linux
      inputs: [{name: hello}]
      run: {path: sh, args: [-c, "sh hello/build.sh"]}
`;

it("goes round: connect, choose a repository, push, build, status, page", { timeout: 120_000 }, async () => {
  const repository = new Repository(server.repositories, "hello");
  repository.push("hello: begin", { "build.sh": "echo the first build\n" });
  const token = server.command("token", "create", "--user", "admin", "--name", "e2e", "--scopes", "*");
  const set = await server.api<{ pipeline: { id: number } }>(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name: "hello", yaml: pipeline(repository.bare) });
  await server.api(token, "POST", `/api/v1/ci/pipelines/${set.pipeline.id}/unpause`);
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);

  // Connect with a token.
  await open(page, "/teams/main/ci/hooks");
  await page.getByRole("button", { name: "Connect" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill("fake");
  await form.getByLabel("API address").fill(github.url);
  await form.getByLabel("Token", { exact: true }).fill("ghp_e2e");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "Test fake" }).click();
  await page.getByText("as octocat").first().waitFor();
  await expectAccessible(page);

  // Choose a repository: its webhook is created there, with a secret that nobody had to see.
  await page.getByRole("link", { name: "Repositories" }).first().click();
  await page.getByLabel("Find a repository").fill("hello");
  await page.getByText("acme/docs").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Create the webhook of acme/hello" }).click();
  await page.getByRole("button", { name: "Remove the webhook of acme/hello" }).waitFor();
  await expectAccessible(page);
  const [hook, ...others] = (await github.look("acme/hello")).hooks;
  expect(others).toEqual([]);
  expect(hook?.url).toContain(server.url);
  expect(hook?.secret).toBe(true);

  // A push that GitHub tells about is built, and GitHub hears how it ended.
  await open(page, "/teams/main/ci/hooks/deliveries");
  await page.getByRole("heading", { name: "Deliveries", level: 1 }).waitFor();
  const sha = repository.push("hello: say more", { "build.sh": "echo built by a webhook\n" });
  expect(await github.deliver("acme/hello", "push", pushOf(repository.bare, sha, "hello: say more"))).toEqual([202]);
  await vi.waitFor(async () => expect((await github.look("acme/hello")).statuses.map((one) => [one.sha, one.state])).toContainEqual([sha, "success"]), { timeout: 40_000, interval: 250 });
  const status = (await github.look("acme/hello")).statuses.find(({ state }) => state === "success");
  expect(status?.target_url).toContain("/builds/");

  // The page shows, by itself, what the push caused; its drawer has headers and body.
  const row = page.getByRole("row").filter({ hasText: "push" });
  await row.getByText(/hello\//).first().waitFor();
  await row.getByRole("link", { name: "push" }).click();
  const drawer = page.getByRole("dialog", { name: "push" });
  await drawer.getByRole("region", { name: "Headers" }).getByText("X-GitHub-Event: push", { exact: false }).or(drawer.getByText(/x-github-event: push/i)).first().waitFor();
  await drawer.getByRole("region", { name: "Body" }).getByText(sha).first().waitFor();
  await expectAccessible(page);
  await page.keyboard.press("Escape");

  // The webhook is alive, and the outbox is delivered.
  await open(page, "/teams/main/ci/hooks/addresses");
  await page.getByText("alive", { exact: true }).waitFor();
  await expectAccessible(page);
  await open(page, "/teams/main/ci/hooks/posts");
  await page.getByRole("table", { name: "Outbox" }).getByText("shown at GitHub").first().waitFor();
  await expectAccessible(page);

  // The status leads to the log of the build.
  await open(page, new URL(status?.target_url ?? "").pathname);
  await page.getByText("built by a webhook").first().waitFor();

  // Removing the webhook removes it at GitHub.
  await open(page, "/teams/main/ci/hooks/repositories?q=hello");
  await page.getByRole("button", { name: "Remove the webhook of acme/hello" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Create the webhook of acme/hello" }).waitFor();
  await vi.waitFor(async () => expect((await github.look("acme/hello")).hooks).toEqual([]), { timeout: 10_000, interval: 100 });
  expect(errors).toEqual([]);
});

it("tells others by rule, works on a delivery again, renews a secret, and asks the outbox to write again", { timeout: 120_000 }, async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "rules", "--scopes", "*");
  const repository = new Repository(server.repositories, "site");
  const first = repository.push("site: begin", { "build.sh": "echo built\n" });
  const set = await server.api<{ pipeline: { id: number } }>(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name: "site", yaml: pipeline(repository.bare) });
  await server.api(token, "POST", `/api/v1/ci/pipelines/${set.pipeline.id}/unpause`);
  const connection = await server.api<{ id: string }>(token, "POST", "/api/v1/ci/connections", { team: "main", name: "rules", api_url: github.url, token: "ghp_rules" });
  await server.api(token, "PUT", `/api/v1/ci/connections/${connection.id}/repositories/acme/site/hook`, {});
  await server.api(token, "POST", "/api/v1/ci/channels", { team: "main", kind: "webhook", name: "Pager", url: pager.url, events: ["build.errored"], pipelines: [] });
  const said = pushOf(repository.bare, first, "site: begin");
  const pushed = { ...said, repository: { ...said.repository, name: "site", full_name: "acme/site" } };
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);

  // A rule is a sentence; its test button proves that the other side hears it.
  await open(page, "/teams/main/ci/hooks/rules");
  await page.getByRole("button", { name: "New rule" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByLabel("When").selectOption("push");
  await form.getByLabel("In", { exact: true }).fill("acme/site");
  await form.getByLabel("Name").fill("Pushes");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Create" }).click();
  await page.getByRole("button", { name: "When somebody pushes in acme/site → Pager" }).waitFor();
  await page.getByRole("button", { name: "Send a test by Pushes" }).click();
  await page.getByRole("dialog", { name: "Sent by Pushes" }).getByText("Signalbox follows the rule Pushes").waitFor();
  await expectAccessible(page);
  await vi.waitFor(() => expect(pager.heard).toHaveLength(1), { timeout: 20_000, interval: 100 });
  expect(await github.deliver("acme/site", "push", pushed)).toEqual([202]);
  await vi.waitFor(() => expect(pager.heard).toHaveLength(2), { timeout: 20_000, interval: 100 });
  await vi.waitFor(async () => expect((await github.look("acme/site")).statuses.map(({ state }) => state)).toContain("success"), { timeout: 40_000, interval: 250 });

  // What came is worked on again from here.
  await open(page, "/teams/main/ci/hooks/deliveries?repository=acme%2Fsite");
  await page.getByRole("row").filter({ hasText: "push" }).getByRole("link", { name: "push" }).first().click();
  await page.getByRole("dialog", { name: "push" }).getByRole("button", { name: "Redeliver", exact: true }).click();
  await page.getByText("The push is worked on again").first().waitFor();

  // A new secret is entered at GitHub by itself: what is signed with it arrives.
  await open(page, "/teams/main/ci/hooks/addresses");
  await page.getByRole("button", { name: "New secret for acme/site" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Make a new secret" }).click();
  await page.getByRole("row").filter({ hasText: "acme/site" }).getByText("old one ends").waitFor();

  // What was given up is written again on demand. GitHub took this one, which the server says: only the list pretends.
  await page.route("**/api/v1/ci/posts?**", async (route) => {
    const list = (await (await route.fetch()).json()) as { items: Record<string, unknown>[] };
    await route.fulfill({ json: { ...list, items: list.items.map((post) => ({ ...post, state: "failed", error: "GitHub answered 422." })) } });
  });
  await open(page, "/teams/main/ci/hooks/posts");
  await page.getByRole("button", { name: /^Try .* again$/ }).first().waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: /^Try .* again$/ }).first().click();
  await page.getByText("It stays given up. GitHub shows the newest state already").first().waitFor();
  expect(errors).toEqual([]);
});

it("asks GitHub for an App, by keyboard alone, on a phone in the dark", async () => {
  const { page, errors } = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, hasTouch: true, colorScheme: "dark" });
  await signIn(page, "admin", password);
  await open(page, "/teams/main/ci/hooks");
  await page.getByRole("button", { name: "Connect" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByRole("button", { name: "GitHub App" }).press("Enter");
  await form.getByLabel("API address").fill(github.url);
  await expectAccessible(page);
  await form.getByLabel("API address").press("Enter");
  // GitHub answers with a page on which the person confirms; the fake confirms at once.
  await page.route(`${github.url}/settings/apps/new**`, async (route) => {
    const answer = await route.fetch({ maxRedirects: 0 });
    await route.fulfill({ contentType: "text/html", body: `<a href="${(answer.headers().location ?? "").replaceAll("&", "&amp;")}">Create GitHub App</a>` });
  });
  await page.waitForURL("**/connections/app/leave**");
  await page.getByRole("button").click();
  await page.getByRole("link", { name: "Create GitHub App" }).click();
  await page.waitForURL("**/teams/main/ci/hooks?connected=**");
  await open(page, page.url()); // containers may have cut off what the browser was loading
  await page.getByRole("button", { name: "Choose installation" }).click();
  await page.getByText("The App is installed nowhere yet").waitFor();
  await expectAccessible(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  expect(errors).toEqual([]);
});
