import { execFile } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server as WebServer } from "node:http";
import { type AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { sentryVitePlugin } from "@sentry/vite-plugin";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { open, openBrowser, openPage, signIn } from "./browser";
import { password, Repository, Server } from "./server";

/** The clients that people have, as they are installed from their registries. */
const modules = resolve(import.meta.dirname, "../../node_modules");
const server = new Server();
let browser: Browser;
let token: string;
let project: { id: number; slug: string };
let dsn: string;

beforeAll(async () => {
  [browser] = await Promise.all([openBrowser(), server.start()]);
  token = server.command("token", "create", "--user", "admin", "--name", "clients", "--scopes", "*");
  project = await server.api(token, "POST", "/api/v1/issues/projects", { team: "main", name: "shop", platform: "node" });
  dsn = (await server.api<{ dsn: string }>(token, "GET", `/api/v1/issues/projects/${project.id}/setup`)).dsn;
});

afterAll(async () => {
  await browser?.close();
  await server.close();
});

interface Frame {
  filename?: string;
  function?: string;
  line?: number;
  context?: string;
  in_app?: boolean;
  unmapped?: string;
}

interface Found {
  issue: number;
  event: {
    release?: string;
    sdk: { name: string; version: string };
    message?: { formatted?: string; template?: string };
    tags?: { key: string; value: string }[];
    exceptions?: { type: string; value: string; stack?: { frames: Frame[] } }[];
  };
  attachments: { name: string }[];
}

const run = promisify(execFile);

/** Runs a program to its end and gives what it said; it fails when the program does. */
async function program(command: string, args: string[], env: Record<string, string> = {}, cwd = server.folder): Promise<string> {
  const { stdout } = await run(command, args, { cwd, env: { ...process.env, ...env }, timeout: 50_000 });
  return stdout.trim();
}

/** Asks until there is an answer. */
async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; ; tries++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (tries > 300) throw new Error(`waited too long for ${what}\n${server.log}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

function event(id: string): Promise<Found> {
  return eventually(`event ${id}`, () => server.api<Found>(token, "GET", `/api/v1/issues/events/${id.replaceAll("-", "")}?team=main`).catch(() => undefined));
}

function thrown(found: Found) {
  const chain = found.event.exceptions ?? [];
  const last = chain[chain.length - 1];
  const frames = last?.stack?.frames ?? [];
  return { type: last?.type, value: last?.value, frame: frames[frames.length - 1] };
}

const nodeProgram = `
const Sentry = require(process.argv[2]);
Sentry.init({ dsn: process.argv[3], release: "shop@1.0.0", environment: "test", tracesSampleRate: 1 });
Sentry.setTag("colour", "green");
function checkout(cart) { return cart.total.amount; }
let failed;
Sentry.startSpan({ name: "buy", op: "task" }, () => {
  try { checkout({}); } catch (error) { failed = Sentry.captureException(error); }
});
const said = Sentry.captureMessage("something is odd");
Sentry.captureCheckIn({ monitorSlug: "nightly", status: "ok" }, { schedule: { type: "crontab", value: "0 3 * * *" } });
Sentry.close(20000).then((sent) => { console.log(JSON.stringify({ failed, said, sent })); });
`;

it.each([
  ["sentry-node-11", "11.9.0"],
  ["sentry-node-10", "10.78.0"],
])("hears %s", async (name, version) => {
  const script = join(server.folder, `${name}.cjs`);
  writeFileSync(script, nodeProgram);
  const said = JSON.parse(await program(process.execPath, [script, join(modules, name), dsn])) as { failed: string; said: string; sent: boolean };
  expect(said.sent).toBe(true);
  const failure = await event(said.failed);
  expect(failure.event.sdk).toMatchObject({ name: "sentry.javascript.node", version });
  expect(failure.event.release).toBe("shop@1.0.0");
  expect(failure.event.tags).toContainEqual({ key: "colour", value: "green" });
  const { type, frame } = thrown(failure);
  expect(type).toBe("TypeError");
  expect(frame).toMatchObject({ function: "checkout", line: 5, in_app: true, context: "function checkout(cart) { return cart.total.amount; }" });
  const message = await event(said.said); // with a stack: then it is an exception without a type
  expect(message.event.message?.formatted ?? thrown(message).value).toBe("something is odd");
  await eventually("the monitor", async () => {
    const { items } = await server.api<{ items: { slug: string }[] }>(token, "GET", "/api/v1/issues/monitors?team=main");
    return items.some((m) => m.slug === "nightly") || undefined;
  });
});

const pythonProgram = `
import sys
import sentry_sdk
sentry_sdk.init(sys.argv[1], release="shop@1.0.0")
def checkout(cart):
    return cart["total"]
with sentry_sdk.push_scope() as scope:
    scope.add_attachment(bytes=b"hello", filename="notes.txt")
    try:
        checkout({})
    except KeyError as error:
        print(sentry_sdk.capture_exception(error))
print(sentry_sdk.capture_message("something is odd"))
sentry_sdk.flush(20)
`;

it("hears Debian's python3-sentry-sdk", async () => {
  const script = join(server.folder, "shop.py");
  writeFileSync(script, pythonProgram);
  const [failed = "", said = ""] = (await program("/usr/bin/python3", [script, dsn])).split("\n");
  const failure = await event(failed);
  expect(failure.event.sdk.name).toBe("sentry.python");
  expect(thrown(failure)).toMatchObject({ type: "KeyError", frame: { function: "checkout", line: 6, context: '    return cart["total"]' } });
  await eventually("the attachment", async () => ((await event(failed)).attachments.some((a) => a.name === "notes.txt") ? true : undefined));
  expect((await event(said)).event.message).toMatchObject({ formatted: "something is odd" });
});

it.each([
  ["sentry-cli-2", "2.58.6"],
  ["sentry-cli-3", "3.8.0"],
])("obeys %s", async (name, version) => {
  const release = `shop@${version}`;
  const env = { SENTRY_URL: server.url, SENTRY_AUTH_TOKEN: token, SENTRY_ORG: "main", SENTRY_PROJECT: project.slug, SENTRY_DSN: dsn, SENTRY_LOG_LEVEL: "warn" };
  const cli = (...args: string[]) => program(process.execPath, [join(modules, name, "bin/sentry-cli"), ...args], env, folder);
  const folder = join(server.folder, `${name}-work`);
  const script = join(folder, "app.js");
  new Repository(server.folder, name).push("begin", { README: "shop" });
  writeFileSync(script, 'function a(){throw new Error("x")}a();\n//# sourceMappingURL=app.js.map\n');
  writeFileSync(`${script}.map`, JSON.stringify({ version: 3, sources: ["app.ts"], sourcesContent: ["function a() {}"], names: [], mappings: "AAAA" }));

  expect(await cli("--version")).toContain(version);
  expect(await cli("info")).toContain("admin");
  expect(await cli("projects", "list")).toContain("shop");
  await cli("releases", "new", release);
  await cli("releases", "set-commits", release, "--local");
  await cli("deploys", "new", "--release", release, "-e", "prod");
  await cli("sourcemaps", "inject", ".");
  await cli("sourcemaps", "upload", "--release", release, ".");
  await cli("releases", "finalize", release);
  expect(await cli("releases", "list")).toContain(version);
  expect(await cli("releases", "info", release)).toContain(version);
  const sent = /[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}/.exec(await cli("send-event", "-m", `hello from ${name}`, "--release", release))?.[0] ?? "";
  const { issue } = await event(sent);
  await cli("monitors", "run", `backup-${name}`, "--", "true");
  expect(await eventually("the monitor", async () => ((await cli("monitors", "list")).includes(`backup-${name}`) ? true : undefined))).toBe(true);
  expect(await cli("issues", "list")).toContain(`hello from ${name}`);
  await cli("issues", "resolve", "-i", String(issue));
  expect((await server.api<{ state: string }>(token, "GET", `/api/v1/issues/issues/${issue}`)).state).toBe("resolved");
  await cli("issues", "mute", "--all");
  expect((await server.api<{ state: string }>(token, "GET", `/api/v1/issues/issues/${issue}`)).state).toBe("archived");
  await cli("releases", "delete", release);
  expect(await cli("releases", "list")).not.toContain(release);
});

/** A small page's sources, as its author wrote them. */
const sources = {
  "index.html": '<!doctype html><title>Shop</title><button id="buy">Buy</button><script type="module" src="/main.ts"></script>',
  "main.ts": `import * as Sentry from "@sentry/browser";
import { checkout } from "./cart";

Sentry.init({ dsn: SHOP_DSN, release: "web-shop@2.0.0", beforeSend: (event) => ((window.reported = event.event_id), event) });
document.querySelector("#buy")!.addEventListener("click", () => checkout({ items: [] }));
`,
  "cart.ts": `interface Cart {
  items: { price: number }[];
}

export function checkout(cart: Cart): number {
  // The cart may be empty.
  return firstPrice(cart) * 2;
}

function firstPrice(cart: Cart): number {
  return cart.items[0]!.price;
}
`,
};

/** Serves what was built, as any web server does. */
async function serve(folder: string): Promise<WebServer> {
  const web = createServer((request, answer) => {
    const path = request.url === "/" ? "/index.html" : (request.url ?? "/");
    const file = join(folder, path);
    if (!existsSync(file)) {
      answer.writeHead(404).end();
      return;
    }
    answer.setHeader("content-type", path.endsWith(".js") ? "text/javascript" : "text/html");
    createReadStream(file).pipe(answer);
  });
  await new Promise<void>((listening) => web.listen(0, "127.0.0.1", listening));
  return web;
}

it("shows where a page built by Vite crashed in Chromium, in the author's own lines", async () => {
  process.env["SENTRY_CONFIG_DIR"] = server.folder; // where the plugin's tool remembers servers
  const root = join(server.folder, "web-shop");
  mkdirSync(root);
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(root, name), text);
  await build({
    root,
    configFile: false,
    logLevel: "error",
    define: { SHOP_DSN: JSON.stringify(dsn) },
    resolve: { alias: { "@sentry/browser": join(modules, "@sentry/browser") } },
    build: { sourcemap: "hidden" },
    plugins: [
      sentryVitePlugin({
        org: "main",
        project: project.slug,
        authToken: token,
        url: server.url,
        telemetry: false,
        silent: true,
        release: { name: "web-shop@2.0.0" },
        errorHandler: (error) => {
          throw error;
        },
      }),
    ],
  });
  const web = await serve(join(root, "dist"));
  try {
    const { page: shop } = await openPage(browser, `http://127.0.0.1:${(web.address() as AddressInfo).port}`);
    await shop.goto("/");
    await shop.getByRole("button", { name: "Buy" }).click();
    const id = await eventually("the page to report", () => shop.evaluate(() => (window as { reported?: string }).reported));
    const { issue, ...found } = await event(id);
    const { frame } = thrown({ issue, ...found });
    expect(frame).toMatchObject({ function: "firstPrice", line: 11, context: "  return cart.items[0]!.price;" });
    expect(frame?.filename).toMatch(/cart\.ts$/);

    const { page, errors } = await openPage(browser, server.url);
    await signIn(page, "admin", password);
    await open(page, `/teams/main/issues/${issue}`);
    await page.getByText("return cart.items[0]!.price;").first().waitFor();
    await page.getByText(/cart\.ts/).first().waitFor();
    expect(errors).toEqual([]);
  } finally {
    web.close();
  }
});
