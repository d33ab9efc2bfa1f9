import { describe, expect, it } from "vitest";
import { aBuild, aJob, aPipeline, at } from "./fixtures";
import { badStreak, bars, buildAge, jobStatus, medianSeconds, pipelineStatus, remoteWords, shortVersion } from "./state";

describe("the state of a pipeline", () => {
  it.each([
    [{ paused: true, running: 2, status: "failed" as const }, "paused"],
    [{ running: 1, status: "failed" as const }, "running"],
    [{ status: "errored" as const }, "errored"],
    [{ status: "pending" as const }, "pending"],
    [{ archived: true, paused: true }, "skipped"],
    [{}, "succeeded"],
  ])("%o is %s", (change, status) => expect(pipelineStatus(aPipeline(change))).toBe(status));
});

describe("the state of a job", () => {
  const ended = aBuild({ status: "failed" });
  it.each([
    ["never ran", aJob(), "pending"],
    ["ended", aJob({ latest_build: ended }), "failed"],
    ["paused", aJob({ paused: true, latest_build: ended }), "paused"],
    ["paused while a build runs", aJob({ paused: true, next_build: aBuild({ status: "started" }) }), "running"],
    ["a build waits", aJob({ latest_build: ended, next_build: aBuild({ status: "pending" }) }), "pending"],
  ])("%s", (_, job, status) => expect(jobStatus(job)).toBe(status));
});

describe("lengths", () => {
  it("takes the median of those that succeeded", () => {
    const builds = [10, 20, 90].map((seconds, id) => aBuild({ id, ended_at: at(seconds) }));
    expect(medianSeconds([...builds, aBuild({ status: "failed", ended_at: at(1) })])).toBe(20);
    expect(medianSeconds([aBuild({ status: "failed" })])).toBeUndefined();
  });

  it("counts a running build until now", () => {
    const running = aBuild({ status: "started", ended_at: undefined });
    expect(bars([running], Date.parse(at(30)))).toEqual([{ status: "running", value: 30 }]);
    expect(buildAge(running, Date.parse(at(124)))).toBe("2 m 04 s");
    expect(buildAge(aBuild({ status: "pending", started_at: undefined, ended_at: undefined }), Date.parse(at(20)))).toBe("queued 20 s");
    expect(buildAge(aBuild(), Date.parse(at(70)))).toBe("1 min ago");
  });
});

describe("a streak of bad ends", () => {
  const row = (...statuses: ("succeeded" | "failed" | "errored" | "started")[]) => statuses.map((status, id) => aBuild({ id, status }));
  it.each([
    [row("failed", "succeeded", "failed", "errored"), 2],
    [row("failed", "failed", "started"), 2],
    [row("succeeded"), 0],
    [[], 0],
    [[...row("failed", "failed"), aBuild({ id: 9, job: "other", job_id: 2, status: "failed" })], 1],
  ])("%#", (builds, streak) => expect(badStreak(builds)).toBe(streak));
});

describe("a version in few characters", () => {
  it.each([
    [{ ref: "7c1e9f2b7c1e9f2b7c1e9f2b7c1e9f2b7c1e9f2b", branch: "main" }, "7c1e9f2"],
    [{ digest: `sha256:${"ab12cd34".repeat(8)}` }, "ab12cd3"],
    [{ version: "1.24.2" }, "1.24.2"],
    [{ path: "release/app-1.tgz" }, "release/app-1.tgz"],
    [undefined, ""],
  ])("%o is %s", (version, short) => expect(shortVersion(version)).toBe(short));
});

describe("what a failed check says", () => {
  it("leaves the frame of the script out", () => {
    expect(remoteWords("resource script '/opt/resource/check' failed: exit status 128\n\nstderr:\nfatal: no such host\n")).toBe("fatal: no such host");
  });
  it("keeps what has no frame", () => {
    expect(remoteWords("403 from the registry")).toBe("403 from the registry");
    expect(remoteWords("exit status 1\nstderr:\n")).toBe("exit status 1\nstderr:\n");
  });
});
