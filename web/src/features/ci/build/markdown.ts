import { duration } from "@/format/duration";
import { plain, settled } from "@/ui/ansi";
import type { Build } from "../queries";

/** A build as people paste it into a chat: what, why, the last lines, the link. */
export function buildMarkdown(build: Build, url: string): string {
  const name = build.job ? `${build.pipeline?.name} / ${build.job.name} #${build.name}` : `check #${build.name}`;
  const parts = [`**[${name}](${url}) ${build.status === "started" ? "running" : build.status}**`];
  const facts = [build.failure ? `at \`${build.failure.name}\`${build.failure.exit_status === undefined ? "" : `, exit ${build.failure.exit_status}`}` : ""];
  if (build.duration_ms) facts.push(`after ${duration(build.duration_ms / 1000)}`);
  if (build.cause) facts.push(build.cause.replace(/\.$/, ""));
  parts.push(facts.filter(Boolean).join(" · "));
  const lines = build.failure?.last_lines ?? [];
  if (lines.length > 0) parts.push(fenced(lines.map((line) => plain(settled(line))).join("\n")));
  if (build.inputs.length > 0) parts.push(build.inputs.map((input) => `- ${input.name}: ${versionWords(input.version)}`).join("\n"));
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

/** A fence that is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

/** `{ref: "7c1e9f2…", branch: "main"}` in one line; long digests shortened. */
export function versionWords(version: Record<string, string>): string {
  return Object.entries(version)
    .map(([key, value]) => `${key} ${/^(sha256:)?[0-9a-f]{20,}$/.test(value) ? value.replace(/^(sha256:)?(.{7}).*$/, "$1$2") : value}`)
    .join(", ");
}
