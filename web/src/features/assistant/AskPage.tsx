import "./assistant.css";
import { useParams } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { CodeBlock } from "@/ui/CodeBlock";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { AskBox } from "./AskBox";
import { AssistantContext } from "./AssistantContext";
import { askCommand, mcpCommand } from "./commands";

const examples = [
  "Which builds are failing?",
  "Why did the last build fail?",
  "What new errors came in today?",
  "Did any webhook deliveries fail today?",
  "What PRs were merged this week?",
  "Are any critical bugs related to PRs merged this week?",
];

/** A question to begin with. */
export function AskPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const url = useSession().public_url;
  usePage({ title: "Assistant", crumbs: [{ label: "Assistant" }] });
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader title="Assistant" meta="it looks things up, and shows how" />
      <div className="pane assistant-home">
        <AskBox team={team} label={`Ask about ${team}`} examples={examples} />
        <section>
          <div className="section-head">
            <h2>From elsewhere</h2>
          </div>
          <p className="muted">The same questions from a terminal, and the same tools for any MCP client. Make a token under your account; its scopes decide what can be seen. <a className="link" href="/docs/assistant">The first ten minutes</a></p>
          <CodeBlock label="Ask from a terminal" code={askCommand(url, team)} filled={[url, team]} wrap />
          <CodeBlock label="Add to an MCP client" code={mcpCommand(url)} filled={[url]} wrap />
        </section>
      </div>
    </>
  );
}
