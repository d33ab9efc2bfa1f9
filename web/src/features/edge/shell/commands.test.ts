import { describe, expect, it } from "vitest";
import { call, change, quoted } from "./commands";

describe("commands", () => {
  it("quotes what a shell would take apart", () => {
    expect(quoted("a-1")).toBe("a-1");
    expect(quoted("it's")).toBe(`'it'\\''s'`);
    expect(quoted("a b")).toBe("'a b'");
  });

  it("says the call of a page", () => {
    expect(call("http://x", "nodes", { team: "main", q: "site:osl offline>24h", since: undefined })).toBe(`curl -fsS -H "Authorization: Bearer $SIGNALBOX_TOKEN" 'http://x/api/v1/edge/nodes?team=main&q=site%3Aosl%20offline%3E24h'`);
    expect(call("http://x", "nodes/1")).toBe(`curl -fsS -H "Authorization: Bearer $SIGNALBOX_TOKEN" http://x/api/v1/edge/nodes/1`);
  });

  it("says a call that changes something", () => {
    expect(change("http://x", "POST", "rollouts/1/pause", { reason: "it's late" })).toBe(`curl -fsS -H "Authorization: Bearer $SIGNALBOX_TOKEN" http://x/api/v1/edge/rollouts/1/pause \\\n  -d '{"reason":"it'\\''s late"}'`);
    expect(change("http://x", "DELETE", "freezes/1")).toContain("curl -fsS -X DELETE -H");
  });
});
