import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "./App";

const me = {
  user: { id: 1, name: "ann", is_admin: true, must_change_password: false },
  teams: [
    { name: "main", role: "owner" },
    { name: "acme", role: "viewer" },
  ],
  csrf_token: "csrf-1",
  capabilities: ["ci"],
  version: "1.2.3",
  public_url: "http://localhost:8080",
  setup_complete: true,
};

let signedIn = true;
let sent: { method: string; path: string; csrf: string | null }[] = [];

/** A server that knows one person, and for the rest answers with empty lists. */
function serve(input: Request | string): Promise<Response> {
  const request = input instanceof Request ? input : new Request(new URL(input, location.origin));
  const path = new URL(request.url).pathname;
  sent.push({ method: request.method, path, csrf: request.headers.get("X-CSRF-Token") });
  const json = (status: number, body: unknown) => Promise.resolve(new Response(JSON.stringify(body), { status }));
  if (path.endsWith("/stream")) return new Promise(() => undefined);
  if (path.endsWith("/session") && request.method === "POST") {
    signedIn = true;
    return json(200, { user: me.user });
  }
  if (!signedIn) return json(401, { title: "Unauthorized", detail: "Sign in first." });
  if (path.endsWith("/me")) return json(200, me);
  if (path.endsWith("/audit")) return json(403, { title: "Not allowed", detail: "An owner may see this.", request_id: "r-1" });
  if (path.endsWith("/users")) return json(500, { title: "Failed", detail: "It was written to the log.", request_id: "r-500" });
  return json(200, { items: [] });
}

function open(path: string) {
  window.history.replaceState(null, "", path);
  render(<App />);
}

beforeEach(() => {
  signedIn = true;
  sent = [];
  vi.stubGlobal("fetch", serve);
  vi.stubGlobal("scrollTo", () => undefined);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const patient = { timeout: 15_000 };
const found = (text: string | RegExp) => screen.findByRole("heading", { level: 1, name: text }, patient);

describe("the whole", { timeout: 40_000 }, () => {
  it("asks strangers to sign in, and takes them where they wanted to go", async () => {
    signedIn = false;
    open("/teams/main/settings/secrets");
    await found("Sign in");
    expect(location.search).toContain("next=");
    fireEvent.change(screen.getByLabelText("Name"), { target: { value: "ann" } });
    fireEvent.change(screen.getByLabelText("Password"), { target: { value: "right" } });
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await found("Secrets");
    expect(location.pathname).toBe("/teams/main/settings/secrets");
    expect(screen.getByText("No secrets yet")).toBeTruthy();
    expect(document.title).toBe("Secrets of main · main · Signalbox");
  });

  it("goes by keys and by the palette", async () => {
    open("/teams/main/settings/tokens");
    await found("Tokens");
    fireEvent.keyDown(window, { key: "k", ctrlKey: true });
    const field = await screen.findByRole("combobox", { name: /search/i });
    fireEvent.change(field, { target: { value: "secr" } });
    fireEvent.keyDown(field, { key: "Enter" });
    await found("Secrets");
    await waitFor(() => expect(document.activeElement?.textContent).toBe("Secrets"), patient);
    fireEvent.keyDown(window, { key: "?" });
    await screen.findByRole("heading", { name: "Keyboard" });
    fireEvent.click(screen.getByRole("switch"));
    expect(localStorage.getItem("signalbox.letters")).toBe("off");
  });

  it("shows what a person may not see, and what failed, inside the frame", async () => {
    // React tells the console of every error that a boundary catches; these are the point of the test.
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    open("/admin/audit");
    await screen.findByText("An owner may see this.", undefined, patient);
    expect(screen.getByRole("navigation", { name: "Capabilities" })).toBeTruthy();
    fireEvent.click(screen.getAllByRole("link", { name: "Users" })[0] as Element);
    await screen.findByText("r-500", undefined, patient);
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  it("says that nothing is there", async () => {
    open("/teams/main/no/such/page");
    await found("Nothing is here");
  });
});
