import { expect, it } from "vitest";
import { enrolCommand, installCommand, labelsOf, labelsText } from "./enrolment/commands";
import { tokenLook } from "./enrolment/state";
import { eventLook } from "./node/events";
import { findingWords, rangeOf, skippedBy } from "./policies/words";
import { behind, ceremony, documentLook } from "./trust/state";

it("reads labels as they are typed", () => {
  expect(labelsOf("role=edge-node, region=us-east")).toEqual({ labels: { role: "edge-node", region: "us-east" } });
  expect(labelsOf("role").wrong).toBe("role");
  expect(labelsText(labelsOf("a=b=c d=").labels)).toBe("a=b=c d=");
});

it("writes commands with what is needed in them", () => {
  expect(installCommand("https://x", "sbe_1")).toBe("sudo ./install-agent.sh ./signalbox-agent --url https://x --token sbe_1");
  expect(enrolCommand("https://x", "sbe_1")).toContain("enroll --url https://x --token sbe_1");
  expect(ceremony("https://x", "ed25519 abc")).toContain('--timestamp-key "ed25519 abc"');
});

it.each([
  [{ revoked_at: "2026-01-01T00:00:00Z" }, "revoked"],
  [{ uses: 2 }, "used up"],
  [{ expires_at: "2026-01-01T00:00:00Z" }, "expired"],
  [{}, "open"],
])("says of a token %o that it is %s", (over, word) => {
  expect(tokenLook({ uses: 1, max_uses: 2, expires_at: "2027-01-01T00:00:00Z", ...over }, Date.parse("2026-11-21T12:00:00Z")).word).toBe(word);
});

it("shows a report by its state, and a decision by its kind", () => {
  expect(eventLook({ kind: "report", state: "staged" })).toEqual({ status: "staged", word: "staged" });
  expect(eventLook({ kind: "doubled", state: "" }).status).toBe("errored");
});

it("finds the place of a mistake in a text", () => {
  expect(rangeOf("ab\ncdef\n", { line: 2, column: 3 })).toEqual([5, 7]);
  expect(rangeOf("ab", { line: 9, column: 9 })).toEqual([2, 2]);
  expect(findingWords([{}, { warning: true }, {}])).toBe("2 mistakes, 1 warning");
  expect(findingWords([])).toBe("nothing is wrong with it");
});

it("groups who is left out by the reason", () => {
  const node = (name: string, reason?: string) => ({ id: name, name, site: "", variant: "", reason });
  expect(skippedBy([node("a", "offline"), node("b", "held"), node("c", "held"), node("d")])).toEqual([
    { reason: "held", names: ["b", "c"] },
    { reason: "offline", names: ["a"] },
    { reason: "no reason given", names: ["d"] },
  ]);
});

it("tells what is in force and who is behind", () => {
  expect(documentLook({ newest: false, expired: true }).word).toBe("replaced");
  expect(documentLook({ newest: true, expired: true }).status).toBe("failed");
  expect(behind({ "1": 4, "2": 9, "0": 0 }, 2)).toEqual([{ root: 2, nodes: 9, old: false }, { root: 1, nodes: 4, old: true }]);
});
