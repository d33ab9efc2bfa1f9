import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

const server = new Server();
let browser: Browser;

beforeAll(async () => {
  [browser] = await Promise.all([openBrowser(), server.start()]);
});

afterAll(async () => {
  await browser?.close();
  await server.close();
});

it("answers a question, shows what it looked up, and says what it does not understand", async () => {
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/teams/main/assistant");
  const box = page.getByRole("textbox", { name: "Ask about main" });
  await box.fill("Which builds are failing?");
  await expectAccessible(page);
  await page.keyboard.press("Enter");

  // Nothing runs here yet, and the answer says so, with the look-up that it rests on.
  await page.getByRole("heading", { level: 1, name: "Which builds are failing?" }).waitFor();
  await page.getByText("There are no pipelines in main yet.").waitFor();
  await page.getByText("ci_pipelines_list").click();
  await page.getByRole("region", { name: "Result" }).waitFor();
  await expectAccessible(page);

  // A word that it does not know is never ignored: it says so, and what it can do instead.
  const next = page.getByRole("textbox", { name: "Ask on in this conversation" });
  await next.fill("which builds wobble?");
  await page.keyboard.press("Enter");
  await page.getByText("I did not understand “wobble”").waitFor();
  await page.getByRole("list", { name: "Questions that are answered" }).getByRole("button", { name: "Which builds are running?" }).click();
  await page.getByText("No running builds.").waitFor();

  await open(page, "/teams/main/assistant/settings");
  await page.getByLabel("It may read").fill("not a repository");
  await page.getByRole("form", { name: "Repositories" }).getByRole("button", { name: "Save" }).click();
  await page.getByText("is not owner/name").waitFor();
  await page.getByLabel("It may read").fill("acme/shop");
  await page.getByRole("form", { name: "Repositories" }).getByRole("button", { name: "Save" }).click();
  await page.getByText("The assistant reads these from now on").first().waitFor();
  await expectAccessible(page);

  const phone = await openPage(browser, server.url, { viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signIn(phone.page, "admin", password);
  await open(phone.page, "/teams/main/assistant");
  await phone.page.getByRole("button", { name: "What new errors came in today?" }).click();
  await phone.page.getByText("No new errors").waitFor();
  expect(await phone.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await expectAccessible(phone.page);
  expect([...errors, ...phone.errors]).toEqual([]);
});
