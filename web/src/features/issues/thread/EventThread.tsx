import { useQuery } from "@tanstack/react-query";
import { asProblem } from "@/api/problem";
import { Skeleton } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { BuildList, LineQuote, ThreadStep, VersionList } from "@/ui/thread/parts";
import { PathLink } from "@/ui/thread/PathLink";
import { OneCommit } from "../releases/Commits";
import { type EventThread, eventThreadQuery } from "./queries";

/** Where an error comes from and what it belongs to: commit, build, service, lines of its trace, nodes that run it. */
export function EventThreadPanel({ team, event }: { team: string; event: string }) {
  const { data: thread, error } = useQuery(eventThreadQuery(team, event));
  return (
    <section aria-label="Thread">
      <div className="section-head">
        <h2>Thread</h2>
        <span className="meta">what this event comes from</span>
      </div>
      {error ? <Notice kind="warn">{asProblem(error).message}</Notice> : thread ? <Steps thread={thread} /> : <Skeleton height={120} />}
    </section>
  );
}

function Steps({ thread }: { thread: EventThread }) {
  const { release, release_path: page, commits, builds, service, service_path: servicePage, lines, nodes, trace, missing } = thread;
  const [commit] = commits;
  return (
    <dl className="thread">
      {missing.length > 0 && <Notice kind="warn">{missing.join(" and ")} did not answer, so what is theirs is missing here.</Notice>}
      <ThreadStep name="Commit">{commit ? <OneCommit commit={{ ...commit, id: commit.sha, email: "", at: commit.at }} /> : <span className="meta">{release ? "Nobody said which commits are in this release." : "The event names no release."}</span>}</ThreadStep>
      <ThreadStep name="Build">{builds.length > 0 ? <BuildList builds={builds} label="Builds of the commit" /> : <span className="meta">{commit ? "No build here took this commit." : "None is known without a commit."}</span>}</ThreadStep>
      <ThreadStep name="Release">{release ? page ? <PathLink path={page}>{release}</PathLink> : <code>{release}</code> : <span className="meta">none</span>}</ThreadStep>
      <ThreadStep name="Service">{service ? <PathLink path={servicePage}>{service}</PathLink> : <span className="meta">No service ties this project yet.</span>}</ThreadStep>
      <ThreadStep name="Lines">{lines ? <LineQuote lines={lines} /> : <span className="meta">{trace ? "Log lines cannot be read." : "The event names no trace, and no service says which lines are its own."}</span>}</ThreadStep>
      <ThreadStep name="Nodes">{nodes ? <VersionList nodes={nodes} release={release} /> : <span className="meta">{service ? `${service} names no package that nodes carry.` : "None is known without a service."}</span>}</ThreadStep>
    </dl>
  );
}
