import { mkdirSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { FakeGitHub } from "./github";
import { password, pushOf, Repository, Server } from "./server";

let github: FakeGitHub;
let server: Server;
let browser: Browser;

beforeAll(async () => {
  github = await new FakeGitHub().start("acme/hello", "acme/docs", "acme/site");
  server = new Server({ SIGNALBOX_OUTBOUND_ALLOW: new URL(github.url).host });
  [, browser] = await Promise.all([server.start(), openBrowser()]);
  mkdirSync(server.repositories, { recursive: true });
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  github?.close();
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
