import { screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { aBuild, aGraph, aJob, aPipeline, aResource, at } from "../fixtures";
import { draw } from "../harness";
import { GraphTable, inputWords } from "./GraphTable";
import { Notes } from "./Notes";

afterEach(() => vi.unstubAllGlobals());

const failing = aResource({ name: "shop", check_error: "exit status 128\nstderr:\nfatal: repository not found\n", last_checked_at: at(0), next_check_at: at(60) });

it("shouts that a pipeline is paused, and offers to let it run", async () => {
  await draw(<Notes graph={aGraph({ pipeline: aPipeline({ paused: true, paused_by: "carol" }) })} />, "pipeline-operator");
  expect(await screen.findByText("Paused by carol.")).toBeTruthy();
  expect(screen.getByRole("button", { name: "Unpause" }).getAttribute("aria-disabled")).toBeNull();
});

it("says what the remote said about a failed check, and when it is tried again", async () => {
  await draw(<Notes graph={aGraph({ resources: [failing] })} />);
  expect(await screen.findByText("fatal: repository not found")).toBeTruthy();
  expect(screen.getByText(/Next try/)).toBeTruthy();
});

it("explains why a build waits", async () => {
  const job = aJob({ name: "release", next_build: aBuild({ name: "31", status: "pending" }), waiting: ["1 of at most 1 builds are running in its serial groups."] });
  await draw(<Notes graph={aGraph({ jobs: [job] })} />);
  expect(await screen.findByText(/#31 waits\. 1 of at most 1/)).toBeTruthy();
});

it("is silent when all is well", async () => {
  await draw(<div data-testid="notes"><Notes graph={aGraph({ jobs: [aJob()] })} /></div>);
  expect((await screen.findByTestId("notes")).childElementCount).toBe(0);
});

it("lists what the graph shows, and refuses what the configuration forbids", async () => {
  const jobs = [
    aJob({ id: 1, name: "ci", inputs: [{ name: "shop", resource: "shop", passed: [], trigger: true }], latest_build: aBuild({ name: "7" }) }),
    aJob({ id: 2, name: "release", disable_manual_trigger: true }),
  ];
  await draw(<GraphTable graph={aGraph({ jobs, resources: [failing] })} now={Date.parse(at(70))} />);
  expect((await screen.findByRole("link", { name: "ci" })).getAttribute("href")).toBe("/teams/acme/pipelines/web/jobs/ci");
  expect(screen.getByRole("link", { name: "#7 · 1 min ago" }).getAttribute("href")).toBe("/teams/acme/pipelines/web/jobs/ci/builds/7");
  expect(screen.getByRole("button", { name: "Run ci" }).getAttribute("aria-disabled")).toBeNull();
  expect(screen.getByRole("button", { name: "Run release" }).getAttribute("aria-disabled")).toBe("true");
  expect(screen.getByRole("link", { name: "shop" }).getAttribute("href")).toBe("/teams/acme/pipelines/web/resources/shop");
});

it("lets a viewer run nothing", async () => {
  await draw(<GraphTable graph={aGraph({ jobs: [aJob()] })} now={0} />, "viewer");
  expect((await screen.findByRole("button", { name: "Run ci" })).getAttribute("aria-disabled")).toBe("true");
  expect(screen.getByRole("button", { name: "Pause ci" }).getAttribute("aria-disabled")).toBe("true");
});

it.each([
  [[], "hand only"],
  [[{ name: "a", resource: "a", passed: ["ci", "lint"], trigger: true }], "a from ci, lint"],
  [[{ name: "a", resource: "a", passed: [], trigger: false }], "hand only · takes a"],
])("%o is started by %s", (inputs, words) => expect(inputWords({ inputs })).toBe(words));
