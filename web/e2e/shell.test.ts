import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectAccessible, expectReadableInTheDark, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([new Server().start(), openBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe("signing in", () => {
  it("refuses a wrong password in words and lets the right one in", async () => {
    const { page, errors } = await openPage(browser, server.url);
    await open(page, "/");
    await page.waitForURL("**/login**");
    await page.getByLabel("Name").fill("admin");
    await page.getByLabel("Password").fill("wrong-password-1");
    // The network went and came: who is signed in is asked again, and the form keeps what was typed.
    const asked = page.waitForResponse("**/api/v1/accounts/me");
    await page.evaluate(() => ["offline", "online"].forEach((name) => window.dispatchEvent(new Event(name))));
    await asked;
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await expectAccessible(page);
    await signIn(page, "admin", password);
    await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
    await expectAccessible(page);
    expect(errors).toEqual([]);
  });

  it("gives fly its token in the browser", async () => {
    const { page } = await openPage(browser, server.url);
    await open(page, "/login?fly_port=1");
    const redirected = page.waitForRequest((request) => request.url().startsWith("http://127.0.0.1:1/"));
    await page.getByLabel("Name").fill("admin");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    expect(new URL((await redirected).url()).searchParams.get("token")).toMatch(/^bearer \S{20,}$/i);
  });
});

describe("every page that needs nothing to be there", () => {
  const groups = {
    "of settings": ["/account", "/teams/main/settings/team", "/teams/main/settings/members", "/teams/main/settings/tokens", "/teams/main/settings/secrets", "/teams/main/settings/channels"],
    "of the installation": ["/admin/users", "/admin/teams", "/admin/audit", "/admin/jobs", "/admin/health"],
    "that join everything": ["/teams/main", "/teams/main/timeline", "/teams/main/services"],
    "of pipelines": ["/teams/main/ci", "/teams/main/ci/new", "/teams/main/ci/approvals", "/teams/main/ci/packages", "/teams/main/ci/workers", "/teams/main/ci/workers/containers", "/teams/main/ci/workers/volumes"],
    "of GitHub": ["", "/repositories", "/addresses", "/deliveries", "/rules", "/posts"].map((path) => `/teams/main/ci/hooks${path}`),
  };
  let session: Awaited<ReturnType<BrowserContext["storageState"]>>;

  beforeAll(async () => {
    const { page } = await openPage(browser, server.url);
    await signIn(page, "admin", password);
    session = await page.context().storageState();
    await page.context().close();
  });

  const looks = [
    ["light and dark", { colorScheme: "light" }],
    ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true }],
  ] as const;

  for (const [name, options, group, pages] of looks.flatMap(([name, options]) => Object.entries(groups).map(([group, pages]) => [name, options, group, pages] as const))) {
    // Seven pages at most take 15 s on an idle machine.
    it(`${group} has no axe violation and no script error: ${name}`, { timeout: 120_000 }, async () => {
      const { page, errors } = await openPage(browser, server.url, { ...options, storageState: session });
      for (const path of pages) {
        await open(page, path);
        await page.getByRole("heading", { level: 1 }).first().waitFor();
        await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
        await expectAccessible(page);
        if (name === "light and dark") await expectReadableInTheDark(page);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(wide, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
      }
      expect(errors).toEqual([]);
      await page.context().close();
    });
  }
});

describe("the keyboard", () => {
  it("opens the palette, goes places and shows its keys", async () => {
    const { page } = await openPage(browser, server.url);
    await signIn(page, "admin", password);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("audit");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/admin/audit**");
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    await page.waitForURL("**/teams/main/ci");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });
});
