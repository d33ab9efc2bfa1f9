import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { GitBranch, Link2, X } from "lucide-react";
import { useState } from "react";
import { api, done } from "@/api/client";
import { Button, IconButton } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { useMemberRefusal } from "../acts";
import { releasePath } from "../paths";
import type { Issue } from "../queries";
import { OneCommit } from "../releases/Commits";
import { useReleaseOf } from "../releases/useRelease";
import { ExternalAddress } from "./ExternalAddress";
import { GitHubDialog } from "./GitHubDialog";
import { linkName, linkState } from "./words";

/** Who may have caused it: commits of the release that touch the file that breaks. */
export function Suspects({ issue }: { issue: Issue }) {
  if (issue.suspect_commits.length === 0) return null;
  return (
    <section aria-label="Suspect commits">
      <h2 className="micro">Suspect</h2>
      <ol className="issues-suspects">
        {issue.suspect_commits.slice(0, 3).map((commit) => (
          <li key={commit.sha}>
            <OneCommit commit={{ ...commit, id: commit.sha }} />
            <p className="meta">{commit.why || `touched ${commit.file} in ${commit.release}`}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Issues at GitHub that belong to it, made and linked by hand or by a rule. */
export function GitHubLinks({ team, issue, text }: { team: string; issue: Issue; text: string }) {
  const refused = useMemberRefusal(team);
  const client = useQueryClient();
  const [asked, setAsked] = useState<"create" | "link" | null>(null);
  const refresh = () => void client.invalidateQueries({ queryKey: ["issues", "issue", issue.id] });
  const unlink = useTask({
    run: (link: number) => done(api.DELETE("/api/v1/issues/issues/{id}/links/{link}", { params: { path: { id: issue.id, link } } })),
    failed: "The link is still there.",
    onDone: refresh,
  });
  const group = "This issue";
  useActions([
    { id: "issue.github", label: "Create an issue at GitHub", group, keys: "g h", icon: GitBranch, refused, run: () => setAsked("create") },
    { id: "issue.link", label: "Link an issue at GitHub", group, icon: Link2, refused, run: () => setAsked("link") },
  ]);
  return (
    <section aria-label="GitHub">
      <h2 className="micro">GitHub</h2>
      <ul className="issues-links">
        {issue.links.map((link) => {
          const { status, word } = linkState(link);
          return (
            <li key={link.id} className="line">
              <StatusGlyph status={status} label={word} />
              <span className="min-w-0">
                {link.url ? (
                  <ExternalAddress className="link" url={link.url}>
                    {linkName(link)}
                  </ExternalAddress>
                ) : (
                  linkName(link)
                )}{" "}
                <span className="meta">{link.state === "failed" ? link.error : link.title || word}</span>
              </span>
              <span className="push">
                <IconButton size="small" icon={X} label={`Unlink ${linkName(link)}`} refused={refused} onClick={() => void unlink.start(link.id)} />
              </span>
            </li>
          );
        })}
      </ul>
      <span className="line">
        <Button size="small" icon={GitBranch} refused={refused} onClick={() => setAsked("create")}>
          Create issue
        </Button>
        <Button size="small" kind="quiet" icon={Link2} refused={refused} onClick={() => setAsked("link")}>
          Link
        </Button>
      </span>
      {asked && <GitHubDialog issue={issue} team={team} text={text} how={asked} onClose={() => setAsked(null)} onDone={refresh} />}
    </section>
  );
}

/** The releases of an issue as links, where they are known. */
export function ReleaseLine({ team, project, name, version }: { team: string; project: string; name: string; version: string }) {
  const release = useReleaseOf(team, project, version);
  return (
    <p className="line">
      <span className="muted issues-term">{name}</span>
      {release ? (
        <Link className="link clip" to={releasePath(team, release.id)}>
          {version}
        </Link>
      ) : (
        <code className="clip">{version || "none"}</code>
      )}
    </p>
  );
}
