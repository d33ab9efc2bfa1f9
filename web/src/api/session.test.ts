import { describe, expect, it } from "vitest";
import { type Me, may, refusal, type Role, roleIn } from "./session";

function person(role: Role | undefined, admin = false): Me {
  return {
    user: { id: 1, name: "ann", is_admin: admin, must_change_password: false },
    teams: role ? [{ name: "main", role }] : [],
    csrf_token: "t",
    capabilities: ["ci"],
    version: "1",
    public_url: "http://localhost:8080",
    setup_complete: true,
  };
}

describe("may", () => {
  it.each<[Role, Role, boolean]>([
    ["viewer", "viewer", true],
    ["viewer", "pipeline-operator", false],
    ["pipeline-operator", "pipeline-operator", true],
    ["pipeline-operator", "member", false],
    ["member", "pipeline-operator", true],
    ["member", "owner", false],
    ["owner", "owner", true],
  ])("a %s where a %s is needed: %s", (role, least, expected) => {
    expect(may(person(role), "main", least)).toBe(expected);
  });

  it("lets an administrator everywhere, and a stranger nowhere", () => {
    expect(may(person(undefined, true), "main", "owner")).toBe(true);
    expect(may(person(undefined), "main", "viewer")).toBe(false);
    expect(roleIn(person("owner"), "other")).toBeUndefined();
  });
});

it("says who could", () => {
  expect(refusal(person("owner"), "main", "member")).toBe(false);
  expect(refusal(person("viewer"), "main", "member")).toBe("A member of main may do this.");
});
