import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { password, Server } from "./server";

// What people are shown first: here with a smaller fleet, and otherwise as it is.
const server = new Server({}, ["demo", "--machines", "120"]);
const patience = { timeout: 60_000 };
let browser: Browser;

beforeAll(async () => {
  [browser] = await Promise.all([openBrowser(), server.start()]);
});

afterAll(async () => {
  await browser?.close();
  await server.close();
});

/** The chapter that is open, once it has turned green. */
const happened = (page: Page, title: string) => page.locator(".chapter.open", { hasText: title }).getByRole("img", { name: "happened" }).waitFor(patience);

/** Goes on from a page of the product by the line above it, to the chapter of that title. */
async function next(page: Page, title: string): Promise<void> {
  const bar = page.getByRole("navigation", { name: "Story" });
  if (await bar.isVisible()) await bar.getByRole("link", { name: "Next" }).click();
  else await page.getByRole("button", { name: "Next chapter" }).click();
  await page.locator(".chapter.open", { hasText: title }).waitFor(patience);
}

const act = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const go = (page: Page, name: string) => page.locator(".chapter.open").getByRole("link", { name }).click();

it("tells the whole story: a push breaks production, and its fix reaches every machine", { timeout: 600_000 }, async () => {
  const { page, errors } = await openPage(browser, server.url);
  page.setDefaultTimeout(patience.timeout);
  await signIn(page, "admin", password);
  await open(page, "/teams/acme");
  await page.getByRole("navigation", { name: "Story" }).getByRole("link", { name: "Story" }).click();

  // 1. A push is built, and its release is out.
  const push = page.getByRole("button", { name: "Push as Bob" });
  await expect.poll(async () => push.getAttribute("aria-disabled"), patience).toBeNull();
  await push.click();
  await happened(page, "A push breaks production");
  await expectAccessible(page);
  await go(page, "web-shop #");
  await page.getByText("the web shop takes checkout 1.1.0").waitFor(patience);

  // 2. Customers meet the error.
  await next(page, "Customers meet the error");
  await act(page, "Let customers in");
  await happened(page, "Customers meet the error");
  await page.getByRole("button", { name: "Next chapter" }).click();

  // 3. The message is in Slack, and leads to the error.
  await happened(page, "The alert arrives in Slack");
  const slack = page.getByRole("log", { name: "Messages in #shop-alerts" });
  await slack.getByRole("link", { name: "CHECKOUT-1: KeyError: 'GB'" }).click();
  await page.getByRole("heading", { name: /KeyError/ }).first().waitFor(patience);

  // 4. The error names the commit.
  await next(page, "The error names the commit");
  await happened(page, "The error names the commit");
  await go(page, "The error");
  await page.getByText("delivery: take the parcel service's new prices").first().waitFor(patience);

  // 5. The lines of the trace.
  await next(page, "The logs show the trace");
  await happened(page, "The logs show the trace");
  await go(page, "The lines of the trace");
  await page.getByText(/failed: KeyError: 'GB'/).first().waitFor(patience);

  // 6. The assistant explains it, in the portal and in Slack.
  await next(page, "The assistant explains it");
  await act(page, "Ask in Slack");
  await happened(page, "The assistant explains it");
  await slack.getByText("Commits that may have caused it", { exact: false }).waitFor(patience);
  await go(page, "Ask in the portal");
  const box = page.getByRole("textbox", { name: "Ask about acme" });
  await box.fill("what is CHECKOUT-1?");
  await box.press("Enter");
  await page.getByText(/delivery: take the parcel service/).first().waitFor(patience);

  // 7. The fix builds, and waits for approval.
  await next(page, "The fix builds and is approved");
  await act(page, "Push the fix as Ann");
  await go(page, "Approve it");
  await approve(page);
  await page.getByRole("navigation", { name: "Story" }).getByRole("link", { name: "Story" }).click();
  await happened(page, "The fix builds and is approved");

  // 8. It becomes a bundle.
  await next(page, "It becomes a bundle");
  const sign = page.getByRole("button", { name: "Sign and publish" });
  await expect.poll(async () => sign.getAttribute("aria-disabled"), patience).toBeNull();
  await sign.click();
  await happened(page, "It becomes a bundle");
  await go(page, "The bundle");
  await page.getByRole("heading", { name: "checkout-1.1.1" }).waitFor(patience);

  // 9. It rolls out.
  await next(page, "It rolls out to the fleet");
  await act(page, "Roll it out");
  await happened(page, "It rolls out to the fleet");
  await go(page, "The rollout");
  await page.getByText(/^completed/).first().waitFor({ timeout: 2 * patience.timeout });

  // 10. The fleet reports back, and the error is resolved.
  await next(page, "The fleet reports back");
  await happened(page, "The fleet reports back");
  await page.getByText("24 of 24 machines say that they run 1.1.1; CHECKOUT-1 is resolved.").waitFor(patience);
  await page.getByText("10 of 10 chapters have happened").waitFor(patience);
  await go(page, "The release");
  await page.getByText("24 of 24 nodes with checkout run it.").waitFor(patience);
  expect(errors).toEqual([]);
});

async function approve(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Approve checkout \/ shops #/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve", exact: true }).click();
  await page.getByText("approved by admin").first().waitFor(patience);
}
