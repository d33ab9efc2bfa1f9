import { describe, expect, it } from "vitest";
import { cveIn, cveWords } from "./state";

describe("CVEs", () => {
  it("finds the name in what was typed", () => {
    expect(cveIn(" cve-2026-1234 ")).toBe("CVE-2026-1234");
    expect(cveIn("https://security-tracker.debian.org/tracker/CVE-2024-11111")).toBe("CVE-2024-11111");
    expect(cveIn("openssl")).toBe("");
  });

  it("answers in a sentence", () => {
    const fix = { bundle: "b", variant: "v", source: "lamp", fixed_version: "1", severity: "high", advisory: "" };
    const carrier = { node: "1", name: "n", site: "", variant: "v", source: "lamp", installed: "0", needs: "1", bundle: "b" };
    expect(cveWords({ id: "C", fixes: [], open: [], fixed: 0, unknown: 3 })).toContain("nothing is known");
    expect(cveWords({ id: "C", fixes: [fix], open: [carrier], fixed: 2, unknown: 1 })).toBe("1 node still carries C; 2 nodes have it mended; 1 node told nothing of its packages yet.");
    expect(cveWords({ id: "C", fixes: [fix], open: [], fixed: 1, unknown: 0 })).toBe("No node carries C any more; 1 node has it mended.");
  });
});
