// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api, data, setCsrfToken, whenAnonymous } from "./client";
import { asProblem, Problem } from "./problem";

let asked: Request[] = [];
let options: (RequestInit | undefined)[] = [];

function answer(status: number, body?: unknown, headers: Record<string, string> = {}) {
  vi.stubGlobal("fetch", (request: Request, init?: RequestInit) => {
    asked.push(request);
    options.push(init);
    return Promise.resolve(
      new Response(body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body), {
        status,
        headers: { "Content-Type": "application/json", ...headers },
      }),
    );
  });
}

const refused = (call: Promise<unknown>) => call.then(() => expect.unreachable("it was not refused"), (error: unknown) => asProblem(error));

beforeEach(() => {
  asked = [];
  options = [];
  setCsrfToken("token-1");
});
afterEach(() => void vi.unstubAllGlobals());

describe("the client", () => {
  it("gives the body of an answer", async () => {
    answer(200, { items: [], next: "n" });
    await expect(data(api.GET("/api/v1/accounts/users"))).resolves.toEqual({ items: [], next: "n" });
  });

  it("lets the browser ask whether its copy is still good", async () => {
    answer(200, { items: [] });
    await api.GET("/api/v1/accounts/users");
    expect(options[0]?.cache).toBe("no-cache");
  });

  it("sends the CSRF token with what changes something, and only then", async () => {
    answer(200, {});
    await api.GET("/api/v1/accounts/users");
    await api.POST("/api/v1/accounts/teams", { body: { name: "web" } });
    expect(asked.map((request) => request.headers.get("X-CSRF-Token"))).toEqual([null, "token-1"]);
  });

  it("throws the problem the server wrote", async () => {
    answer(422, { title: "Invalid", detail: "The name is taken.", request_id: "r-9", errors: [{ field: "name", message: "is taken" }, "junk"] });
    const problem = await refused(api.POST("/api/v1/accounts/teams", { body: { name: "web" } }));
    expect(problem).toMatchObject({ status: 422, title: "Invalid", message: "The name is taken.", requestId: "r-9" });
    expect(problem.field("name")).toBe("is taken");
    expect(problem.field("other")).toBeUndefined();
    expect(problem.fields).toHaveLength(1);
  });

  it("makes a sentence of a proxy's page", async () => {
    answer(502, "<html>Bad Gateway</html>", { "X-Request-Id": "from-header" });
    const problem = await refused(api.GET("/api/v1/accounts/users"));
    expect(problem).toMatchObject({ status: 502, title: "The server answered 502", requestId: "from-header" });
  });

  it("says that the server cannot be reached, and why it thinks so", async () => {
    const cause = new TypeError("Failed to fetch");
    vi.stubGlobal("fetch", () => Promise.reject(cause));
    const problem = await refused(api.GET("/api/v1/accounts/users"));
    expect(problem).toMatchObject({ status: 0, cause });
  });

  it("leaves an abort an abort", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new DOMException("gone", "AbortError")));
    await expect(api.GET("/api/v1/accounts/users")).rejects.toHaveProperty("name", "AbortError");
  });
});

describe("the end of a session", () => {
  it("is told to who listens, until they stop", async () => {
    const ended = vi.fn();
    const stop = whenAnonymous(ended);
    answer(401, { title: "Unauthorized" });
    await refused(api.GET("/api/v1/accounts/users"));
    expect(ended).toHaveBeenCalledOnce();
    stop();
    await refused(api.GET("/api/v1/accounts/users"));
    expect(ended).toHaveBeenCalledOnce();
  });

  it("is not a refused password", async () => {
    const ended = vi.fn();
    const stop = whenAnonymous(ended);
    answer(401, { title: "Unauthorized" });
    await refused(api.POST("/api/v1/accounts/session", { body: { name: "ann", password: "wrong" } }));
    expect(ended).not.toHaveBeenCalled();
    stop();
  });
});

it("takes anything thrown as a problem", () => {
  expect(asProblem(new Error("boom"))).toMatchObject({ status: -1, message: "boom" });
  expect(asProblem("text").message).toBe("text");
  const problem = new Problem({ status: 404, title: "Not found" });
  expect(asProblem(problem)).toBe(problem);
});
