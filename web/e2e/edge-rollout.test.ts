import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { Desk, Machine } from "./edge-fleet";
import { password, Server } from "./server";

const bundle = "20261121-build-42";
let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = new Server();
  [browser] = await Promise.all([openBrowser(), server.start()]);
  const token = server.command("token", "create", "--user", "admin", "--name", "fleet", "--scopes", "*").split("\n").at(-1) ?? "";
  server.command("user", "create", "--name", "bea", "--password", password, "--team", "main", "--role", "member");
  const desk = new Desk(server, token);
  await desk.found();
  desk.release(bundle, 1);
  const made = await server.api<{ token: string }>(token, "POST", "/api/v1/edge/tokens", { team: "main", name: "shops", accepts: true, max_uses: 3, site: "osl", labels: { role: "edge-node" } });
  for (const [at, version] of ["1.0-1", "1.0-1", "1.1-1"].entries()) {
    const machine = await new Machine(server, `edge-${at + 1}`).enrol(made.token, "rocky");
    await machine.inventory([{ name: "lamp", version, arch: "noarch", source: "lamp" }]);
    await machine.checkIn({ quarantined: at === 0 ? ["20261101-build-40"] : [] });
  }
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** Presses a button of the rollout, says why, and agrees. */
async function act(page: Page, name: string, why: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").fill(why);
  await dialog.getByRole("button").first().click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("region", { name: "History" }).getByText(why).waitFor();
}

it("answers who carries a CVE, rolls its bundle out under two pairs of eyes, and freezes", async () => {
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);

  // One search says who still carries it; the bundle that mends it becomes a policy by asking.
  await open(page, "/teams/main/edge");
  await page.getByLabel("Filter nodes").fill("cve-2024-11111");
  await page.keyboard.press("Enter");
  await page.getByText("2 nodes still carry CVE-2024-11111; 1 node has it mended.").waitFor();
  await expectAccessible(page);

  // What one of them has in quarantine may be tried again, once somebody says so.
  await page.getByRole("table", { name: "Nodes that carry it" }).getByRole("link", { name: "edge-1" }).click();
  await page.getByRole("button", { name: "Let it be tried again" }).click();
  await page.getByText("20261101-build-40 may be tried again").waitFor();
  await page.goBack();
  await page.getByRole("button", { name: `Write a policy for ${bundle}` }).click();
  await page.getByLabel("Then in batches of").fill("1");
  await page.getByLabel("Only at").fill("");
  await page.getByLabel("People who must approve").fill("1");
  await page.getByText("nothing is wrong with it").waitFor();
  await page.getByRole("button", { name: "Simulate" }).click();
  await page.getByRole("region", { name: "Simulation" }).getByText("3 nodes in 3 batches").waitFor();
  await page.getByRole("button", { name: "Save", exact: true }).click();

  // It is begun by one and approved by another, who sees it without reloading.
  await page.getByRole("button", { name: "Roll out" }).click();
  await page.getByRole("dialog").getByLabel("Why").fill("lamp burns");
  await page.getByRole("button", { name: "Begin with 3 nodes" }).click();
  await page.getByRole("heading", { name: "0 of 1 approved" }).waitFor();
  const bea = (await openPage(browser, server.url)).page;
  await signIn(bea, "bea", password);
  await open(bea, new URL(page.url()).pathname);
  await bea.getByRole("button", { name: "Approve", exact: true }).click();
  await page.getByRole("heading", { name: "1 of 1 approved" }).waitFor();
  await bea.context().close();

  // Held, let go on, hurried, and given up; each with its reason in the history.
  await page.getByText(/^running/).first().waitFor();
  await page.keyboard.press("p");
  await page.getByRole("dialog").getByRole("textbox").fill("somebody calls");
  await page.keyboard.press("Enter");
  await page.getByText("Paused: somebody calls").waitFor();
  await expectAccessible(page);
  await act(page, "Resume", "it was nothing");
  await act(page, "Next batch", "no need to wait");
  await act(page, "Abort", "enough seen");
  await page.getByText(/^aborted/).first().waitFor();
  await act(page, "Roll back", "as it was before");

  // A day is frozen on the calendar, and let go again.
  await page.getByRole("link", { name: "Freezes" }).first().click();
  await page.getByRole("button", { name: "Later" }).click();
  await page.getByRole("button", { name: /^\w+ 15 / }).first().click();
  await page.getByRole("dialog").getByLabel("Why").fill("peak trade");
  await page.getByRole("dialog").getByRole("button", { name: "Freeze", exact: true }).click();
  await page.getByRole("button", { name: /15 .*frozen: peak trade/ }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Delete the freeze for peak trade" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("No freezes yet").waitFor();
  expect(errors).toEqual([]);
}, 120_000);
