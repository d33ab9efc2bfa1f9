import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { draw } from "../harness";
import type { Connection } from "../queries";
import { Organizations } from "./Organizations";
import type { Organization } from "./queries";

afterEach(() => vi.unstubAllGlobals());

const connection: Connection = { id: "c1", name: "fake", api_url: "https://api.github.example", kind: "token", login: "ann", error: "", created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" };

/** A server that keeps the webhooks of organizations; notes what it was asked to change. */
function serve(...names: string[]): string[] {
  const asked: string[] = [];
  const hooks = new Map<string, Organization["hook"]>(names.map((name) => [name, { state: "none" }]));
  vi.stubGlobal("fetch", async (request: Request) => {
    const [, owner] = /organizations\/([^/]+)\/hook$/.exec(new URL(request.url).pathname) ?? [];
    if (!owner) return Response.json({ items: [...hooks].map(([name, hook]) => ({ name, hook })) });
    asked.push(`${request.method} ${owner}`);
    hooks.set(owner, { state: request.method === "PUT" ? "ours" : "none" });
    return request.method === "PUT" ? Response.json({ state: "ok", problem: "" }) : new Response(null, { status: 204 });
  });
  return asked;
}

const show = (refused: string | false = false) => draw(<Organizations connection={connection} team="acme" refused={refused} onClose={vi.fn()} />);

// Labels are looked for instead of roles: that is quick on a busy machine too.
it("creates the webhook of a whole organization, and removes it when that is meant", { timeout: 20_000 }, async () => {
  const asked = serve("acme", "other");
  await show();
  await userEvent.click(await screen.findByLabelText("Create the webhook of acme"));
  await userEvent.click(await screen.findByLabelText("Remove the webhook of acme"));
  await screen.findByText("Remove the webhook of acme?");
  expect(asked).toEqual(["PUT acme"]);
  await userEvent.click(screen.getByText("Remove", { selector: "button:not([aria-label])" }));
  await screen.findByLabelText("Create the webhook of acme");
  expect(asked).toEqual(["PUT acme", "DELETE acme"]);
});

it("takes the name of one that GitHub does not list", async () => {
  const asked = serve();
  await show();
  await userEvent.type(await screen.findByLabelText("Another organization"), "hidden{Enter}");
  await waitFor(() => expect(asked).toEqual(["PUT hidden"]));
  await screen.findByLabelText("Remove the webhook of hidden");
});

it("offers nothing to those who may not", async () => {
  const asked = serve("acme");
  await show("Members do this.");
  const button = await screen.findByLabelText("Create the webhook of acme");
  expect(button.getAttribute("aria-disabled")).toBe("true");
  await userEvent.click(button);
  expect(asked).toEqual([]);
});
