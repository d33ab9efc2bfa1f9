import { count } from "@/format/bytes";
import { Copyable } from "@/ui/CopyButton";
import { Avatar } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { ExternalAddress } from "../links/ExternalAddress";
import { commitsCommand } from "./commands";
import type { Commit, Release } from "./queries";
import { commitUrl, message } from "./words";

/** What is new in a release, the newest first. */
export function Commits({ release }: { release: Release }) {
  if (release.commit_list.length === 0) {
    return (
      <EmptyState small headline="Nobody said what is in it" command={commitsCommand(release.version)} filled={[release.version]} commandLabel="Command">
        With its commits a release names who touched the file that breaks, and issues that a commit fixes are resolved by it.
      </EmptyState>
    );
  }
  return (
    <div className="pane">
      <ol className="rows issues-commits">
        {release.commit_list.map((commit) => (
          <li key={commit.id}>
            <OneCommit commit={commit} />
          </li>
        ))}
      </ol>
      {release.commits > release.commit_list.length && <p className="meta pt-3">and {count(release.commits - release.commit_list.length)} more</p>}
    </div>
  );
}

export function OneCommit({ commit }: { commit: Pick<Commit, "id" | "repository" | "author" | "email" | "message" | "at"> & { url?: string } }) {
  const { subject, rest } = message(commit.message);
  const url = commit.url || commitUrl(commit.repository, commit.id);
  const who = commit.author || commit.email || "somebody";
  return (
    <div className="issues-commit">
      <Avatar small name={who} />
      <span className="min-w-0">
        <span className="subject" title={rest || undefined}>
          {url ? (
            <ExternalAddress className="link" url={url}>
              {subject || "without a message"}
            </ExternalAddress>
          ) : (
            subject || "without a message"
          )}
        </span>
        <span className="meta">
          {who}
          {commit.repository && `, ${commit.repository}`}
          {commit.at && (
            <>
              , <RelativeTime at={commit.at} />
            </>
          )}
        </span>
      </span>
      <Copyable text={commit.id} what="Copy the commit">
        {commit.id.slice(0, 8)}
      </Copyable>
    </div>
  );
}
