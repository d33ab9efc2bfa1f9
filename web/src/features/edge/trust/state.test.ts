import { describe, expect, it } from "vitest";
import { behind, ceremony, portalLook, rotation } from "./state";

const key = (id: string) => ({ id, public_key: `ed25519 ${id}`, portal: false, signed: false });

describe("trust", () => {
  it("counts nodes by the root that they trust", () => {
    expect(behind({ "1": 4, "2": 96, "3": 0 }, 2)).toEqual([
      { root: 2, nodes: 96, old: false },
      { root: 1, nodes: 4, old: true },
    ]);
  });

  it("tells the next key of this server from a retired one", () => {
    const [old, now, next] = [
      { active: false, created_at: "2026-01-01T00:00:00Z" },
      { active: true, created_at: "2026-02-01T00:00:00Z" },
      { active: false, created_at: "2026-03-01T00:00:00Z" },
    ] as const;
    const all = [old, now, next];
    expect(all.map((one) => portalLook(one, all).word)).toEqual(["retired", "active", "next: no root names it yet"]);
    expect(portalLook(next, [next]).word).toContain("next");
  });

  it("says the commands for what there is", () => {
    const trust = {
      roles: [
        { role: "root", threshold: 2, keys: [key("aaaaaaaaaaaaaaaa"), key("b")] },
        { role: "targets", threshold: 1, keys: [key("cccccccccccccccc")] },
        { role: "timestamp", threshold: 1, keys: [key("dddddddddddddddd")] },
      ],
      portal_keys: [{ id: "n", public_key: "ed25519 NEXT", created_by: "ann", created_at: "2026-03-01T00:00:00Z", active: false }],
    };
    const release = rotation("release", trust, "http://x");
    expect(release).toContain("rotate --role release cccccccccccc keys/release-next.pub");
    expect(release.match(/keys sign --key/g)).toHaveLength(2);
    expect(release).toContain("signalbox bundle sign --key keys/release-next.key");
    expect(rotation("timestamp", trust, "http://x")).toContain('rotate --role timestamp dddddddddddd "ed25519 NEXT"');
    expect(rotation("timestamp", trust, "http://x")).not.toContain("keys new");
    expect(ceremony("http://x", "")).toContain("PUBLIC_KEY_OF_THIS_SERVER");
  });
});
