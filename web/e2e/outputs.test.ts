import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([new Server().start(), openBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const yaml = `
resources:
- {name: production, type: approval, source: {}}
jobs:
- name: deploy
  plan:
  - put: production
    params: {approvers: [owner], timeout: 1h}
    no_get: true
  - task: ship
    config:
      platform: linux
      params: {VERSION: ((input:version)), PLACE: ((input:env)), TOKEN: ((input:token))}
      run: {path: sh, args: [-c, 'echo "shipped $VERSION to $PLACE with $TOKEN"']}
signalbox:
  jobs:
    deploy:
      inputs:
      - {name: version, type: string, required: true, pattern: '^[0-9]+\\.[0-9]+$'}
      - {name: env, type: choice, options: [staging, production], default: staging}
      - {name: token, type: secret, required: true}
`;

it("asks for inputs, waits for a person, and ships what was asked", async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "outputs", "--scopes", "*");
  const set = await server.api<{ pipeline: { id: number } }>(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name: "release", yaml });
  await server.api(token, "POST", `/api/v1/ci/pipelines/${set.pipeline.id}/unpause`);
  // Nobody approves what they started or whose pipeline they set: that takes a third person.
  server.command("user", "create", "--name", "ann", "--password", password, "--team", "main", "--role", "pipeline-operator");
  server.command("user", "create", "--name", "bob", "--password", password, "--team", "main", "--role", "owner");

  const starts = await openPage(browser, server.url);
  await signIn(starts.page, "ann", password);

  // A page of a build that does not exist yet waits for it.
  await open(starts.page, "/teams/main/pipelines/release/jobs/deploy/builds/1");
  await starts.page.getByText("Build #1 does not exist yet").waitFor();
  await expectAccessible(starts.page);

  // The form, by keyboard alone: what is wrong is said at each field.
  await open(starts.page, "/teams/main/pipelines/release/jobs/deploy");
  await starts.page.getByRole("heading", { level: 1 }).waitFor();
  await starts.page.keyboard.press("r");
  const form = starts.page.getByRole("dialog");
  await form.getByLabel("version").fill("one");
  await starts.page.keyboard.press("Enter");
  await form.getByText(/It must match/).waitFor();
  await form.getByText("This is required.").waitFor();
  await expectAccessible(starts.page);
  await form.getByLabel("version").fill("1.4");
  await form.getByLabel("env").selectOption("production");
  await form.getByLabel("token").fill("s3cret-of-release");
  await starts.page.keyboard.press("Enter");
  await starts.page.waitForURL("**/jobs/deploy/builds/1");

  // What was given is shown, the secret never.
  await open(starts.page, "/teams/main/pipelines/release/jobs/deploy/builds/1?tab=inputs");
  await starts.page.getByText("secret, never shown").waitFor();
  await expectAccessible(starts.page);

  // Another owner approves it in the inbox, where it appears by itself.
  const approves = await openPage(browser, server.url, { colorScheme: "dark" });
  await signIn(approves.page, "bob", password);
  await open(approves.page, "/teams/main/ci/approvals");
  await approves.page.getByRole("button", { name: "Approve release / deploy #1" }).click();
  await approves.page.getByLabel("Reason").fill("it was tried in staging");
  await approves.page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await approves.page.getByText("approved by bob").waitFor();
  await expectAccessible(approves.page);

  await open(starts.page, "/teams/main/pipelines/release/jobs/deploy/builds/1");
  await starts.page.getByText(/shipped 1\.4 to production with/).waitFor();
  await starts.page.getByText("Succeeded").first().waitFor();
  expect(await starts.page.content()).not.toContain("s3cret-of-release");
  expect([...starts.errors, ...approves.errors]).toEqual([]);
});
