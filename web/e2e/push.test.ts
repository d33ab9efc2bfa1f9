import { mkdirSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Repository, sendPush, Server } from "./server";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([new Server().start(), openBrowser()]);
  mkdirSync(server.repositories, { recursive: true });
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const pipeline = (uri: string) => `
resources:
- name: hello
  type: git
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

it("goes from an empty server to a green build by a push, live", { timeout: 180_000 }, async () => {
  const repository = new Repository(server.repositories, "hello");
  repository.push("hello: begin", { "build.sh": "echo the first build\n" });
  const token = server.command("token", "create", "--user", "admin", "--name", "e2e", "--scopes", "*");

  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);

  // Set the pipeline in the editor, as a person pastes it.
  await open(page, "/teams/main/ci/new?name=hello");
  const editor = page.locator(".cm-content");
  await editor.click();
  await page.keyboard.press("Control+a");
  await editor.evaluate((node, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    node.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, pipeline(repository.bare));
  await page.getByRole("button", { name: /^(Save|Set|Create)/ }).first().click();
  await page.waitForURL("**/teams/main/pipelines/hello**");
  await expectAccessible(page);

  // It is paused, which the page says; unpause it.
  await page.getByRole("button", { name: "Unpause" }).first().click();

  // The first version is found by a check and built, which the graph shows by itself.
  await page.getByText("#1", { exact: false }).first().waitFor();
  await open(page, "/teams/main/pipelines/hello/jobs/build/builds/1");
  // The first container of a new server may have to wait for a busy machine.
  await page.getByText("the first build").waitFor({ timeout: 90_000 });
  await page.getByText("Succeeded").first().waitFor();
  await expectAccessible(page);

  // A hook, then a push that GitHub tells about.
  const hook = await server.api<{ url: string; secret: string }>(token, "POST", "/api/v1/ci/hooks", { team: "main", name: "acme/hello" });
  await open(page, "/teams/main/pipelines/hello/jobs/build");
  await page.getByRole("heading", { level: 1 }).waitFor();
  const sha = repository.push("hello: say more", { "build.sh": "for i in 1 2 3 4 5; do echo live line $i; sleep 0.4; done\n" });
  const answer = await sendPush(hook, repository.bare, sha, "hello: say more");
  expect(answer.status).toBe(202);

  // Without a reload the job's page shows the build, whose log grows while it runs.
  await page.getByText("#2", { exact: false }).first().waitFor();
  await open(page, "/teams/main/pipelines/hello/jobs/build/builds/2");
  await page.getByText("live line 1").waitFor();
  await page.getByText("live line 5").waitFor();
  await page.getByText("Succeeded").first().waitFor();
  expect(await page.title()).toContain("#2");
  expect(errors).toEqual([]);
});

it("aborts a build from its page", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "abort", "--scopes", "ci:write");
  const yaml = `
jobs:
- name: slow
  plan:
  - task: wait
    config: {platform: linux, run: {path: sh, args: [-c, "echo begun; sleep 300"]}}
`;
  const set = await server.api<{ pipeline: { id: number } }>(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name: "slow", yaml });
  await server.api(token, "POST", `/api/v1/ci/pipelines/${set.pipeline.id}/unpause`);
  const graph = await server.api<{ jobs: { id: number }[] }>(token, "GET", `/api/v1/ci/pipelines/${set.pipeline.id}/graph`);
  await server.api(token, "POST", `/api/v1/ci/jobs/${graph.jobs[0]?.id}/builds`);

  const { page, errors } = await openPage(browser, server.url, { colorScheme: "dark" });
  await signIn(page, "admin", password);
  await open(page, "/teams/main/pipelines/slow/jobs/slow/builds/1");
  await page.getByText("begun").waitFor();
  await page.getByRole("button", { name: "Abort" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: /Abort/ }).click();
  await page.getByText("Aborted").first().waitFor();
  await expectAccessible(page);
  expect(errors).toEqual([]);
});

it("keeps the order of the wall that somebody made", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "order", "--scopes", "ci:write");
  const yaml = "jobs:\n- name: idle\n  plan:\n  - task: none\n    config: {platform: linux, run: {path: 'true'}}\n";
  for (const name of ["order-a", "order-b", "order-c"]) await server.api(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name, yaml });
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/ci?view=arrange");
  const order = async () => (await page.getByRole("list", { name: "Order of the pipelines" }).getByRole("listitem").locator(".title").allTextContents()).filter((name) => name.startsWith("order-"));
  const saved = () => page.waitForResponse((answer) => answer.url().endsWith("/pipelines/ordering") && answer.ok());
  const move = (label: string) => Promise.all([saved(), page.getByRole("button", { name: label }).click()]);
  await page.getByRole("button", { name: "Move order-c up" }).waitFor();
  await move("Move order-c up");
  await expect.poll(order).toEqual(["order-a", "order-c", "order-b"]);
  await move("Move order-a down");
  await expect.poll(order).toEqual(["order-c", "order-a", "order-b"]);
  await expectAccessible(page);
  await open(page, "/teams/main/ci?view=arrange");
  await page.getByRole("button", { name: "Move order-c up" }).waitFor();
  expect(await order()).toEqual(["order-c", "order-a", "order-b"]);
  expect(errors).toEqual([]);
});

it("shows a failed build on a phone, log first", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "fail", "--scopes", "ci:write");
  const yaml = `
jobs:
- name: test
  plan:
  - task: unit
    config: {platform: linux, run: {path: sh, args: [-c, "echo expected 1000 got 999; exit 1"]}}
`;
  const set = await server.api<{ pipeline: { id: number } }>(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name: "red", yaml });
  await server.api(token, "POST", `/api/v1/ci/pipelines/${set.pipeline.id}/unpause`);
  const graph = await server.api<{ jobs: { id: number }[] }>(token, "GET", `/api/v1/ci/pipelines/${set.pipeline.id}/graph`);
  await server.api(token, "POST", `/api/v1/ci/jobs/${graph.jobs[0]?.id}/builds`);

  const { page, errors } = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, hasTouch: true });
  await signIn(page, "admin", password);
  await open(page, "/teams/main/pipelines/red/jobs/test/builds/1");
  await page.getByText("Failed").first().waitFor();
  await page.getByText("expected 1000 got 999").first().waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wide).toBeLessThanOrEqual(0);
  await expectAccessible(page);
  expect(errors).toEqual([]);
});
