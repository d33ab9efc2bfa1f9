import { useQuery } from "@tanstack/react-query";
import { MessageSquareText } from "lucide-react";
import { count } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useFrame } from "@/ui/frame/context";
import { suggestQuestion } from "@/ui/frame/question";
import { RelativeTime } from "@/ui/RelativeTime";
import { BuildList, LineQuote } from "@/ui/thread/parts";
import { PathLink } from "@/ui/thread/PathLink";
import type { Build } from "../queries";
import { buildThreadQuery, type Thread } from "./thread";

/** Where the same failure was before, its lines among all others, and whom to ask. */
export function Before({ build }: { build: Build }) {
  const { data: thread } = useQuery(buildThreadQuery(build.team, build.id));
  const frame = useFrame();
  const ask = frame.actions().find(({ id }) => id === "frame.ask");
  if (!thread) return null;
  return (
    <>
      <section className="thread" aria-label="The same failure before">
        <h3 className="micro">Same failure before</h3>
        <p>{said(thread)}</p>
        {thread.before.length > 0 && <BuildList builds={thread.before.slice(0, 4)} label="Builds that failed alike" />}
        {thread.lines && thread.lines.total > 0 && <LineQuote lines={{ ...thread.lines, items: [] }} />}
        {thread.service && (
          <p className="meta">
            of <PathLink path={thread.service_path}>{thread.service}</PathLink>
          </p>
        )}
      </section>
      {ask && (
        <div className="line">
          <Button
            size="small"
            icon={MessageSquareText}
            onClick={() => {
              suggestQuestion("Why did this build fail?");
              ask.run();
            }}
          >
            Ask the assistant
          </Button>
        </div>
      )}
    </>
  );
}

function said({ times, first, before, ended, pipeline, job }: Thread) {
  const [last] = before;
  if (!first || !last) return "No build of the team failed in this way before.";
  const elsewhere = before.some((one) => one.pipeline !== pipeline || one.job !== job);
  return (
    <>
      {times === 1 ? "Once" : `${count(times)} times`}
      {elsewhere ? ", in other jobs too" : ""}: first <RelativeTime at={first.at} />
      {times > 1 && (
        <>
          , last <RelativeTime at={last.at} />
        </>
      )}
      .{" "}
      {ended ? (
        <>
          It ended with <PathLink path={ended.path}>{ended.title}</PathLink>.
        </>
      ) : (
        "No build of that job has succeeded since."
      )}
    </>
  );
}
