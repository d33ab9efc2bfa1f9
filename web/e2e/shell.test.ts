import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { budgets, expectWithin } from "./budget";
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
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
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
  let session: Awaited<ReturnType<BrowserContext["storageState"]>>;

  beforeAll(async () => {
    const { page } = await openPage(browser, server.url);
    await signIn(page, "admin", password);
    session = await page.context().storageState();
    await page.context().close();
  });

  for (const [group, pages] of Object.entries(budgets)) {
    // Seven pages at most take 15 s on an idle machine.
    it(`${group}: within its budget, no axe violation, no script error; light, dark, and on a phone`, { timeout: 120_000 }, async () => {
      const { page, errors } = await openPage(browser, server.url, { storageState: session });
      const device = await page.context().newCDPSession(page);
      for (const [path, budget] of Object.entries(pages)) {
        await open(page, path);
        await page.getByRole("heading", { level: 1 }).first().waitFor();
        await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
        await expectWithin(page, path, budget);
        await expectAccessible(page);
        await expectReadableInTheDark(page);
        await onPhone(page, device, async () => {
          await expectAccessible(page);
          // The page as a whole, and what scrolls below its header.
          const wide = await page.evaluate(() => Math.max(...[document.documentElement, document.getElementById("main")].map((e) => (e ? e.scrollWidth - e.clientWidth : 0))));
          expect(wide, `${path} scrolls sideways`).toBeLessThanOrEqual(0);
        });
      }
      expect(errors).toEqual([]);
      await page.context().close();
    });
  }
});

/** The same page as a phone shows it: narrow, and touched. */
async function onPhone(page: Page, device: CDPSession, look: () => Promise<void>): Promise<void> {
  const desk = page.viewportSize() ?? { width: 1440, height: 900 };
  await device.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 1 });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForFunction(() => matchMedia("(pointer: coarse)").matches);
  await look();
  await device.send("Emulation.setTouchEmulationEnabled", { enabled: false });
  await page.setViewportSize(desk);
}

describe("the keyboard", () => {
  it("opens the palette, goes places and shows its keys", async () => {
    const { page } = await openPage(browser, server.url);
    await signIn(page, "admin", password);
    await open(page, "/");
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
