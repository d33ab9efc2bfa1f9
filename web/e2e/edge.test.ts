import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectAccessible, open, openBrowser, openPage, signIn } from "./browser";
import { Machine } from "./edge-fleet";
import { password, Server } from "./server";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = new Server();
  [browser] = await Promise.all([openBrowser(), server.start()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

it("teaches how to enrol, lets machines in by their fingerprints, and shows them as squares and as rows", async () => {
  const { page, errors } = await openPage(browser, server.url);
  await signIn(page, "admin", password);
  await open(page, "/");
  await page.getByRole("button", { name: "Go anywhere, run anything" }).waitFor();

  // The empty page has the command, and puts a token into it.
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await page.getByRole("heading", { name: "No nodes yet" }).waitFor();
  const command = page.getByRole("region", { name: "Enrol command" });
  await command.getByText("--token YOUR_TOKEN").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Make a token" }).click();
  await command.getByText(/--token sbe_/).waitFor();
  const token = /sbe_\S+/.exec((await command.textContent()) ?? "")?.[0] ?? "";

  // Two machines ask; the page turns by itself, and neither is in yet.
  const { fingerprint } = await new Machine(server, "edge-1").enrol(token);
  await new Machine(server, "stranger").enrol(token);
  await page.getByRole("link", { name: /^Enrolment/ }).first().click();
  await page.getByText(fingerprint).waitFor();
  await expectAccessible(page);

  // One is let in, the other is not.
  await page.getByRole("row", { name: /edge-1/ }).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Accept", exact: true }).click();
  await page.getByText("1 machine accepted").first().waitFor();
  await page.getByText(fingerprint).waitFor({ state: "detached" });
  await page.getByRole("checkbox", { name: "All", exact: true }).check();
  await page.getByRole("button", { name: "Reject", exact: true }).click();
  await page.getByRole("dialog", { name: "Reject stranger?" }).getByRole("button", { name: "Reject", exact: true }).click();
  await page.getByText("Nobody waits to be let in").waitFor();

  // It is a square on the grid, reached by arrows, and the same as a row.
  await page.getByRole("link", { name: "Fleet", exact: true }).first().click();
  await page.getByRole("application", { name: /^2 nodes by site/ }).waitFor();
  await page.getByLabel("Filter nodes").fill("state:accepted");
  await page.keyboard.press("Enter");
  const grid = page.getByRole("application", { name: /^1 node by site/ });
  await grid.focus();
  await page.keyboard.press("ArrowRight");
  await page.getByRole("status").getByText("edge-1").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Table", exact: true }).click();
  await page.getByRole("link", { name: "edge-1", exact: true }).click();
  await page.getByRole("heading", { name: "edge-1" }).waitFor();
  await page.getByText(fingerprint).waitFor();
  await page.getByText("asked to be let in").waitFor();
  await expectAccessible(page);

  // Its key is believed no longer, and then it is gone; each time it is asked first.
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("dialog", { name: "Revoke edge-1?" }).getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("dialog", { name: "Delete edge-1?" }).getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("application", { name: /^1 node by site/ }).waitFor();

  // A policy with a mistake says where it is; a good one says whom it reaches.
  await open(page, "/teams/main/edge/policies/new");
  const text = page.getByRole("textbox", { name: "Policy" });
  await text.fill((await text.inputValue()).replace("batchSize: 100", "batchSize: many"));
  await page.getByRole("button", { name: /batchSize/ }).waitFor();
  await expectAccessible(page);

  // Before anything is signed, the keys page says how trust begins.
  await page.getByRole("link", { name: "Keys and trust" }).click();
  await page.getByRole("button", { name: "Make this server's key" }).click();
  await page.getByRole("region", { name: "Key ceremony" }).getByText(/--timestamp-key "ed25519 /).waitFor();
  await expectAccessible(page);
  expect(errors).toEqual([]);
}, 120_000);
