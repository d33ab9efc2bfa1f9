import { describe, expect, it } from "vitest";
import { askedIn, ending, headline, standing } from "./words";

describe("words of approvals", () => {
  it("says what it would do", () => {
    expect(headline({ title: "Stop a build", target: "build #12 of web / unit" })).toBe("Stop a build: build #12 of web / unit");
    expect(headline({ title: "Stop a build", target: "" })).toBe("Stop a build");
  });
  it("says what became of it", () => {
    expect(ending({ state: "pending" })).toContain("Nothing has been done");
    expect(ending({ state: "denied", decided_by: "bob", reason: "not now" })).toBe("bob denied it: not now. Nothing was done.");
    expect(ending({ state: "expired" })).toContain("Nothing was done");
    expect(ending({ state: "done", decided_by: "bob" })).toContain("bob approved it");
    expect(ending({ state: "failed", decided_by: "bob" })).toContain("failed");
    expect(ending({ state: "running", decided_by: "bob" })).toContain("runs now");
  });
  it("has a form for each state, and a word for each place", () => {
    expect(standing("pending").status).toBe("paused");
    expect(askedIn("mcp")).toBe("through an MCP client");
    expect(askedIn("elsewhere")).toBe("in elsewhere");
  });
});
