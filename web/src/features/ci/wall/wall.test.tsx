import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { aBuild, aGraph, aJob, aPipeline } from "../fixtures";
import { draw } from "../harness";
import { Cell } from "./Cell";
import { FirstPipeline } from "./FirstPipeline";

afterEach(() => vi.unstubAllGlobals());

it("shows an instance by its vars and leads to it", async () => {
  const onPin = vi.fn();
  const pipeline = aPipeline({ name: "deploy", instance_vars: { branch: "main" }, status: "failed", last_builds: [aBuild({ status: "failed" })] });
  await draw(<Cell pipeline={pipeline} pinned={false} onPin={onPin} current={false} now={Date.now()} />);
  const link = await screen.findByRole("link", { name: "branch:main" });
  expect(link.getAttribute("href")).toBe(`/teams/acme/pipelines/deploy?vars=${encodeURIComponent('{"branch":"main"}')}`);
  expect(screen.getByRole("img", { name: "Failed" })).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Pin deploy branch:main to the front" }));
  expect(onPin).toHaveBeenCalledOnce();
});

it("gives the exact commands for this server", async () => {
  await draw(<FirstPipeline team="acme" start="fly" onStart={vi.fn()} />);
  const commands = await screen.findByRole("region", { name: "Sign-in command" });
  expect(commands.textContent).toBe("fly -t acme login -c https://signalbox.example -n acme");
});

it("says who may run the sample", async () => {
  await draw(<FirstPipeline team="acme" start="yaml" onStart={vi.fn()} />, "viewer");
  const button = await screen.findByRole("button", { name: "Run the hello pipeline" });
  expect(button.getAttribute("aria-disabled")).toBe("true");
});

it("sets, lets run and starts the sample, then goes to its build", async () => {
  const asked: string[] = [];
  const pipeline = aPipeline({ id: 5, name: "hello", paused: true });
  const answers: Record<string, unknown> = {
    "PUT /api/v1/ci/pipelines/config": { pipeline, created: true, warnings: [] },
    "POST /api/v1/ci/pipelines/5/unpause": pipeline,
    "GET /api/v1/ci/pipelines/5/graph": aGraph({ pipeline, jobs: [aJob({ id: 8, name: "hello" })] }),
    "POST /api/v1/ci/jobs/8/builds": { id: 30, name: "1" },
  };
  vi.stubGlobal("fetch", async (request: Request) => {
    const asking = `${request.method} ${new URL(request.url).pathname}`;
    asked.push(asking);
    return Response.json(answers[asking] ?? { items: [] });
  });
  const { router } = await draw(<FirstPipeline team="acme" start="fly" onStart={vi.fn()} />, "member");
  await userEvent.click(await screen.findByRole("button", { name: "Run the hello pipeline" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/teams/acme/pipelines/hello/jobs/hello/builds/1"));
  expect(asked).toEqual(Object.keys(answers));
});
