import type { Status } from "@/ui/status";
import type { Permission, Server, ServerTool } from "./queries";

const forms: Record<Server["state"], { status: Status; word: string }> = {
  disabled: { status: "skipped", word: "Off" },
  connecting: { status: "running", word: "Connects" },
  connected: { status: "succeeded", word: "Connected" },
  down: { status: "failed", word: "Down" },
};

/** The form and the word of how a server stands. */
export const standing = (state: Server["state"]) => forms[state];

/** What runs may do with a tool. */
export const permissions: { value: Permission; label: string }[] = [
  { value: "off", label: "Off" },
  { value: "read", label: "Reads: call it as needed" },
  { value: "ask", label: "Changes: ask a person each time" },
  { value: "allow", label: "Changes: call it without asking" },
];

/** Where a server is. */
export const place = ({ kind, command, url }: Pick<Server, "kind" | "command" | "url">) => (kind === "stdio" ? command.join(" ") : url);

/** How many of its tools are in use, and how many are locked. */
export function inUse(tools: Pick<ServerTool, "permission" | "changed">[]): string {
  const used = tools.filter(({ permission, changed }) => permission !== "off" && !changed).length;
  const locked = tools.filter(({ permission, changed }) => permission !== "off" && changed).length;
  return `${used} of ${tools.length} tools in use${locked > 0 ? `, ${locked} changed and locked` : ""}`;
}

/** Lines of NAME=value as an object; a line without a value takes the name away. */
export function secretsOf(text: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    const name = (at < 0 ? line : line.slice(0, at)).trim();
    if (name) out[name] = at < 0 ? "" : line.slice(at + 1);
  }
  return out;
}
