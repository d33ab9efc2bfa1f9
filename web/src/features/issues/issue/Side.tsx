import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Avatar } from "@/ui/facts";
import { Select, Textarea } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { useChangeIssues, useMemberRefusal } from "../acts";
import { withTerm } from "../list/tokens";
import { GitHubLinks, ReleaseLine, Suspects } from "../links/Connected";
import { githubBody } from "../links/words";
import { issuePath, issuesPath } from "../paths";
import { activityQuery, commentsQuery, type Issue, type IssueEvent, peopleQuery, tagsQuery } from "../queries";
import { deed } from "../words";
import { chain, rawStack } from "./frames";

/** Who is hit, who cares for it, and what happened. */
export function Side({ team, issue, found }: { team: string; issue: Issue; found?: IssueEvent }) {
  const url = useSession().public_url;
  const stack = found ? chain(found.event).map(rawStack).join("\nCaused by: ") : "";
  return (
    <aside className="issues-side" aria-label="About the issue">
      <Tags team={team} issue={issue} />
      <Suspects issue={issue} />
      <Owner team={team} issue={issue} />
      <GitHubLinks key={issue.id} team={team} issue={issue} text={githubBody(issue, stack, url + issuePath(team, issue.id))} />
      <Releases team={team} issue={issue} />
      <ActivityPart team={team} issue={issue} />
    </aside>
  );
}

function Tags({ team, issue }: { team: string; issue: Issue }) {
  const { data: found } = useQuery(tagsQuery(issue.id));
  const tags = found?.tags ?? [];
  const [all, setAll] = useState(false);
  const usual = 12;
  return (
    <section aria-label="Who is hit">
      <h2 className="micro">Who is hit</h2>
      {tags.length === 0 && <p className="meta">No tags were sent.</p>}
      {tags.slice(0, all ? undefined : usual).map(({ key, total, values, other }) => {
        const top = values[0];
        if (!top) return null;
        const share = Math.round((top.count / Math.max(1, total)) * 100);
        return (
          <Link key={key} className="issues-tag" to={issuesPath(team)} search={{ query: withTerm("is:unresolved", key, top.value) } as never} title={values.map((one) => `${one.value}: ${one.count}`).join("\n")}>
            <span className="clip">{key}</span>
            <span className="split" aria-hidden="true">
              {values.slice(0, 4).map((one) => (
                <i key={one.value} style={{ flexGrow: one.count }} />
              ))}
              {other > 0 && <i style={{ flexGrow: other }} />}
            </span>
            <span className="meta clip">{top.value || "empty"}</span>
            <span className="meta num">{share} %</span>
          </Link>
        );
      })}
      {tags.length > usual && (
        <Button size="small" kind="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Fewer" : `All ${tags.length} tags`}
        </Button>
      )}
    </section>
  );
}

function Owner({ team, issue }: { team: string; issue: Issue }) {
  const people = useQuery(peopleQuery(team)).data?.items ?? [];
  const refused = useMemberRefusal(team);
  const change = useChangeIssues();
  const names = [...new Set([...people.map(({ name }) => name), ...(issue.assignee ? [issue.assignee] : [])])];
  return (
    <section aria-label="Owner">
      <h2 className="micro">Owner</h2>
      <Select
        compact
        aria-label="Owner of the issue"
        value={issue.assignee}
        disabled={Boolean(refused) || change.busy}
        title={refused || undefined}
        options={[{ value: "", label: "nobody" }, ...names.map((name) => ({ value: name, label: name }))]}
        onValue={(assignee) => void change.start([issue], { assignee })}
      />
    </section>
  );
}

function Releases({ team, issue }: { team: string; issue: Issue }) {
  const { first, last } = issue.releases;
  if (!first && !last) return null;
  return (
    <section aria-label="Releases">
      <h2 className="micro">Releases</h2>
      <ReleaseLine team={team} project={issue.project.slug} name="first" version={first} />
      <ReleaseLine team={team} project={issue.project.slug} name="last" version={last} />
    </section>
  );
}

function ActivityPart({ team, issue }: { team: string; issue: Issue }) {
  const activity = useQuery(activityQuery(issue.id)).data?.activity ?? [];
  const comments = useQuery(commentsQuery(issue.id)).data?.comments ?? [];
  const client = useQueryClient();
  const refused = useMemberRefusal(team);
  const [text, setText] = useState("");
  const write = useTask({
    run: () => data(api.POST("/api/v1/issues/issues/{id}/comments", { params: { path: { id: issue.id } }, body: { text: text.trim() } })),
    failed: "The note is not kept.",
    onDone: () => {
      setText("");
      void client.invalidateQueries({ queryKey: ["issues", "issue", issue.id] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) void write.start();
  };
  // Comments are told by themselves, whole.
  const lines = [
    ...activity.filter(({ kind }) => kind !== "comment").map((one) => ({ key: `a${one.id}`, at: one.at, person: one.person, text: deed(one), quote: false })),
    ...comments.map((one) => ({ key: `c${one.id}`, at: one.at, person: one.person, text: one.text, quote: true })),
  ].toSorted((a, b) => b.at.localeCompare(a.at));
  return (
    <section aria-label="Activity">
      <h2 className="micro">Activity</h2>
      <form className="grid gap-2 mb-3" onSubmit={submit}>
        <Textarea rows={2} aria-label="Write a note" placeholder="Write a note" value={text} onChange={(event) => setText(event.target.value)} />
        {text.trim() && (
          <span>
            <Button size="small" kind="primary" type="submit" busy={write.busy} refused={refused}>
              Add the note
            </Button>
          </span>
        )}
      </form>
      <ol className="issues-activity">
        {lines.map((line) => (
          <li key={line.key}>
            {line.person ? <Avatar small name={line.person} /> : <span />}
            <span className="min-w-0">
              {line.person && <b>{line.person} </b>}
              {line.quote ? <span className="issues-note">{line.text}</span> : line.text}
            </span>
            <span className="meta">
              <RelativeTime at={line.at} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
