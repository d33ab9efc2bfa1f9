import { useQuery } from "@tanstack/react-query";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { RelativeTime } from "@/ui/RelativeTime";
import { Skeleton } from "@/ui/Skeleton";
import { Notice } from "@/ui/states";
import { BuildList, LineQuote, ThreadStep, VersionList } from "@/ui/thread/parts";
import { PathLink } from "@/ui/thread/PathLink";
import { OneCommit } from "../releases/Commits";
import { compared, stretch } from "./compare";
import { type ReleaseThread, releaseThreadQuery } from "./queries";

/** A release through everything: its commits and builds, how it does beside the one before, where it runs, what it says. */
export function ReleaseThreadPanel({ team, release }: { team: string; release: number }) {
  const { data: thread, error } = useQuery(releaseThreadQuery(team, release));
  if (error) return <Notice kind="warn">{asProblem(error).message}</Notice>;
  if (!thread) return <Skeleton height={240} />;
  return (
    <>
      <Beside thread={thread} />
      <section aria-label="Thread">
        <div className="section-head">
          <h2>Thread</h2>
          <span className="meta">what is in it, where it runs, what it says</span>
        </div>
        <Steps thread={thread} />
      </section>
    </>
  );
}

/** Is it healthy: its numbers beside those of the release before. */
function Beside({ thread: { health, previous, short } }: { thread: ReleaseThread }) {
  return (
    <section aria-label="Is it healthy">
      <div className="section-head">
        <h2>Is it healthy</h2>
        <span className="meta">{previous ? `errors per hour in ${stretch(health.hours)}` : "the first release: nothing to compare with"}</span>
      </div>
      <table className="table thread-compare">
        <thead>
          <tr>
            <th scope="col" aria-label="What" />
            <th scope="col" className="num">{short}</th>
            <th scope="col" className="num">{previous ? <PathLink path={previous.path}>{previous.short}</PathLink> : "before"}</th>
            <th scope="col" aria-label="Turn" />
          </tr>
        </thead>
        <tbody>
          {compared(health, previous?.health).map(({ name, now, before, turn }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="num">{now}</td>
              <td className="num muted">{before}</td>
              <td className={turn}>{turn}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Steps({ thread }: { thread: ReleaseThread }) {
  const { commits, commit_count: many, builds, environments, nodes, lines, service, service_path: servicePage, health, missing, version } = thread;
  return (
    <dl className="thread">
      {missing.length > 0 && <Notice kind="warn">{missing.join(" and ")} did not answer, so what is theirs is missing here.</Notice>}
      <ThreadStep name="Commits">
        {commits.length === 0 && <span className="meta">Nobody said what is in it.</span>}
        {commits.slice(0, 3).map((commit) => (
          <OneCommit key={commit.sha} commit={{ ...commit, id: commit.sha, email: "", at: commit.at }} />
        ))}
        {many > 3 && <span className="meta">and {count(many - 3)} more, under Commits</span>}
      </ThreadStep>
      <ThreadStep name="Builds">{builds.length > 0 ? <BuildList builds={builds} label="Builds of it" /> : <span className="meta">No build here took its newest commit.</span>}</ThreadStep>
      <ThreadStep name="Service">{service ? <PathLink path={servicePage}>{service}</PathLink> : <span className="meta">No service ties its project yet.</span>}</ThreadStep>
      <ThreadStep name="Runs in">
        {environments.length === 0 ? (
          <span className="meta">No event and no deploy names an environment.</span>
        ) : (
          <ul className="thread-list" aria-label="Environments">
            {environments.map(({ name, errors, last_seen: seen, deployed_at: deployed }) => (
              <li key={name}>
                <b>{name}</b>
                <span className="meta">
                  {deployed && (
                    <>
                      deployed <RelativeTime at={deployed} />{" "}
                    </>
                  )}
                  {errors > 0 ? plural(errors, "error") : "no errors"}
                  {seen && (
                    <>
                      , the last <RelativeTime at={seen} />
                    </>
                  )}
                </span>
              </li>
            ))}
          </ul>
        )}
      </ThreadStep>
      <ThreadStep name="Nodes">
        {nodes ? (
          <>
            {nodes.total > 0 && (
              <p className="meta">
                {count(nodes.running)} of {plural(nodes.total, "node")} with {nodes.package} {nodes.running === 1 ? "runs" : "run"} it.
              </p>
            )}
            <VersionList nodes={nodes} release={version} />
          </>
        ) : (
          <span className="meta">{service ? `${service} names no package that nodes carry.` : "None is known without a service."}</span>
        )}
      </ThreadStep>
      <ThreadStep name="Affected">{health.users > 0 ? plural(health.users, "user") : <span className="meta">no user that its errors name</span>}</ThreadStep>
      <ThreadStep name="Lines">{lines ? <LineQuote lines={lines} /> : <span className="meta">No line names it.</span>}</ThreadStep>
    </dl>
  );
}
