import { describe, expect, it } from "vitest";
import { differences, fixesOf, packagesOf, termsOf } from "./contents";

const packed = (name: string, version: string, ...deltas: number[]) => ({ name, version, size: 900, deltas: deltas.map((size) => ({ size })), from_versions: ["1"] });
const manifest = (...packages: object[]) => ({ variants: [{ os_id: "debian", version_id: "12", arch: "amd64", packages, allow: { new: ["libnew1"] } }] });

describe("what is in a bundle", () => {
  it("lists packages with their smallest delta", () => {
    expect(packagesOf(manifest(packed("curl", "8", 300, 200), packed("vim", "9")))).toEqual([
      { variant: "debian/12/amd64", name: "curl", version: "8", size: 900, delta: 200, from: ["1"] },
      { variant: "debian/12/amd64", name: "vim", version: "9", size: 900, delta: 0, from: ["1"] },
    ]);
  });

  it("knows nothing of a manifest of a newer kind", () => {
    expect([packagesOf({ variants: "other" }), fixesOf({ fixes: 1 }), termsOf({})]).toEqual([[], [], []]);
  });

  it("puts the worst vulnerability first", () => {
    const fixes = [{ cve: "CVE-2026-1", severity: "low" }, { cve: "CVE-2026-9" }, { cve: "CVE-2026-2", severity: "critical" }];
    expect(fixesOf({ fixes }).map(({ cve }) => cve)).toEqual(["CVE-2026-2", "CVE-2026-1", "CVE-2026-9"]);
  });

  it("tells what came, went and changed", () => {
    expect(differences(manifest(packed("curl", "7"), packed("nano", "1"), packed("vim", "9")), manifest(packed("curl", "8"), packed("vim", "9"), packed("zlib", "1"))).map(({ name, before, after }) => [name, before, after])).toEqual([
      ["curl", "7", "8"],
      ["nano", "1", ""],
      ["zlib", "", "1"],
    ]);
  });

  it("says what nodes must allow", () => {
    expect(termsOf({ ...manifest(), min_agent: "1.2", requires: { reboot: "if-needed" }, provenance: { builder: "ci", commit: "c0ffee" } })).toEqual([
      ["Agent", "1.2 or newer"],
      ["Reboot", "if needed"],
      ["May", "add libnew1"],
      ["Built by", "ci"],
      ["From commit", "c0ffee"],
    ]);
  });
});
