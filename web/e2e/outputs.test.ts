import { readFileSync } from "node:fs";
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

it("asks for inputs, waits for a person, and ships what was asked", { timeout: 120_000 }, async () => {
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

  // The page of the build says who must decide, also to who may not.
  await open(starts.page, "/teams/main/pipelines/release/jobs/deploy/builds/1");
  await starts.page.getByRole("region", { name: "production waits for approval" }).getByText(/You started|somebody else|Only/i).first().waitFor();
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

  // The next one is rejected where its log is read: the build ends with what was said.
  const graph = await server.api<{ jobs: { id: number }[] }>(token, "GET", `/api/v1/ci/pipelines/${set.pipeline.id}/graph`);
  await server.api(token, "POST", `/api/v1/ci/jobs/${graph.jobs[0]?.id}/builds`, { inputs: { version: "1.5", token: "another-secret" } });
  await open(approves.page, "/teams/main/pipelines/release/jobs/deploy/builds/2");
  const asked = approves.page.getByRole("region", { name: "production waits for approval" });
  await asked.getByRole("button", { name: "Reject" }).click();
  const rejects = approves.page.getByRole("dialog", { name: /^Reject production/ });
  await rejects.getByLabel("Reason").fill("not on a Friday");
  await expectAccessible(approves.page);
  await rejects.getByRole("button", { name: "Reject" }).click();
  await asked.waitFor({ state: "detached" });
  await approves.page.getByText("Failed").first().waitFor();
  await approves.page.getByText("not on a Friday").first().waitFor();

  // And one is approved there.
  await server.api(token, "POST", `/api/v1/ci/jobs/${graph.jobs[0]?.id}/builds`, { inputs: { version: "1.6", token: "another-secret" } });
  await open(approves.page, "/teams/main/pipelines/release/jobs/deploy/builds/3");
  await asked.getByRole("button", { name: "Approve" }).click();
  await approves.page.getByRole("dialog", { name: /^Approve production/ }).getByRole("button", { name: "Approve" }).click();
  await approves.page.getByText("shipped 1.6 to staging with").waitFor();
  await approves.page.getByText("Succeeded").first().waitFor();
  expect([...starts.errors, ...approves.errors]).toEqual([]);
});

const report = `<testsuite name="totals">${["adds", "removes"].map((name) => `<testcase classname="totals" name="${name}" time="0.01"/>`).join("")}<testcase classname="totals" name="rounds" time="0.2"><failure message="expected 1000, got 999">at totals_test.go:41</failure></testcase></testsuite>`;
const bom = JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1, components: [{ type: "library", name: "log4j-core", version: "2.14.1", purl: "pkg:maven/org.apache/log4j-core@2.14.1" }] });

const reporting = `
signalbox:
  jobs:
    test: {test_reports: ["out/*.xml"], sbom: ["out/bom.json"], artifacts: [{path: "out/*.txt", keep: 48h}]}
jobs:
- name: test
  plan:
  - task: unit
    config:
      platform: linux
      outputs: [{name: out}]
      params: {REPORT: '${report}', BOM: '${bom}'}
      run: {path: sh, args: [-c, 'printf %s "$REPORT" > out/report.xml; printf %s "$BOM" > out/bom.json; echo what was built > out/notes.txt; exit 1']}
`;

it("shows the test that failed, the file that was kept, and which builds contain a package", { timeout: 120_000 }, async () => {
  const token = server.command("token", "create", "--user", "admin", "--name", "reports", "--scopes", "*");
  const set = await server.api<{ pipeline: { id: number } }>(token, "PUT", "/api/v1/ci/pipelines/config", { team: "main", name: "reports", yaml: reporting });
  await server.api(token, "POST", `/api/v1/ci/pipelines/${set.pipeline.id}/unpause`);
  const graph = await server.api<{ jobs: { id: number }[] }>(token, "GET", `/api/v1/ci/pipelines/${set.pipeline.id}/graph`);
  await server.api(token, "POST", `/api/v1/ci/jobs/${graph.jobs[0]?.id}/builds`);
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  const build = "/teams/main/pipelines/reports/jobs/test/builds/1";
  await open(page, build);
  await page.getByText("Failed").first().waitFor();

  // What failed stands first and is open.
  await open(page, `${build}?tab=tests`);
  await page.getByText("expected 1000, got 999").waitFor();
  await page.getByRole("region", { name: "Output of rounds" }).getByText("totals_test.go:41").waitFor();
  expect(await page.getByRole("list", { name: "Cases" }).getByRole("listitem").allTextContents()).toHaveLength(3);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Passed 2" }).click();
  await page.getByText("adds").waitFor();
  await page.getByText("expected 1000, got 999").waitFor({ state: "detached" });

  // The file is downloaded as it was written.
  await open(page, `${build}?tab=artifacts`);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: /notes\.txt/ }).click()]);
  expect(download.suggestedFilename()).toBe("notes.txt");
  expect(readFileSync(await download.path(), "utf8")).toBe("what was built\n");
  await expectAccessible(page);

  // Its components, and the way from a package to it.
  await open(page, `${build}?tab=components`);
  await page.getByText("log4j-core").first().waitFor();
  await expectAccessible(page);
  await open(page, "/teams/main/ci/packages");
  await page.getByLabel("Package").fill("log4j-core < 2.17.1");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "reports / test #1" }).waitFor();
  await expectAccessible(page);

  // What the failed step leaves behind is there to look into.
  await open(page, "/teams/main/ci/workers/containers");
  await page.getByRole("table", { name: "Containers" }).getByText("reports / test #1").first().waitFor();
  await expectAccessible(page);
  await open(page, "/teams/main/ci/workers/volumes");
  await page.getByRole("table", { name: "Volumes" }).getByText("reports/test #1", { exact: false }).first().waitFor();
  await expectAccessible(page);
  expect(errors).toEqual([]);
});
