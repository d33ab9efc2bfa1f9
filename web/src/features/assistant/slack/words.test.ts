import { describe, expect, it } from "vitest";
import type { SlackState } from "./queries";
import { scheduleWords, standing } from "./words";

const state = (change: Partial<SlackState>): SlackState => ({
  configured: true,
  mode: "socket",
  workspace: "Acme",
  connected: false,
  sockets: [],
  has_app_token: true,
  has_signing_secret: false,
  events_url: "https://box.example/hooks/slack",
  waiting: 0,
  lost: 0,
  ...change,
});
const socket = (connected: boolean, trouble = "") => ({ node: "n", connected, trouble, since: "2026-04-17T12:00:00Z" });

describe("standing", () => {
  it.each([
    [state({ configured: false }), "not set up", "No workspace"],
    [state({ mode: "http" }), "waiting for Slack", "https://box.example/hooks/slack"],
    [state({ sockets: [socket(true)] }), "connected", "One server"],
    [state({ sockets: [socket(true), socket(true), socket(false, "gone")] }), "connected", "2 servers"],
    [state({ sockets: [socket(false, "Slack does not know this token.")] }), "not connected", "does not know"],
    [state({}), "not connected", "yet"],
  ])("says how it stands", (given, word, says) => {
    expect(standing(given).word).toBe(word);
    expect(standing(given).says).toContain(says);
  });
});

describe("scheduleWords", () => {
  it.each([
    ["45 9 * * 1-5", "working days at 09:45"],
    ["0 8 * * *", "daily at 08:00"],
    ["5 17 * * 5", "Fridays at 17:05"],
    ["*/30 * * * *", "*/30 * * * *"],
    ["0 9 1 * *", "0 9 1 * *"],
  ])("%s is %s", (line, words) => expect(scheduleWords(line)).toBe(words));
});
