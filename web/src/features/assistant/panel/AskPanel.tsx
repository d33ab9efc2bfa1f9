import "../assistant.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import { ExternalLink, MessageSquarePlus, X } from "lucide-react";
import { useContext, useEffect, useRef, useState } from "react";
import { useSession } from "@/api/session";
import { IconButton } from "@/ui/Button";
import { Drawer } from "@/ui/Drawer";
import { FrameStateContext } from "@/ui/frame/context";
import { suggestQuestion, useSuggestedQuestion } from "@/ui/frame/question";
import { Answer } from "../Answer";
import { AskBox } from "../AskBox";
import { runPath } from "../paths";
import { type Page, type Run, runQuery } from "../queries";
import { effort, pageWord } from "../words";
import { pageAt } from "./page";

type Props = { team: string; open: boolean; onClose: () => void };

/** A conversation at the side of any page, which it can mean. It goes on when the page changes. */
export function AskPanel({ team, open, onClose }: Props) {
  const [runs, setRuns] = useState<string[]>([]);
  const [thread, setThread] = useState<string>();
  const { page, drop } = useLookedAt();
  const box = useRef<HTMLDivElement>(null);
  const suggested = useSuggestedQuestion();
  const begin = () => {
    setRuns([]);
    setThread(undefined);
  };
  const onRun = (run: Run) => {
    suggestQuestion("");
    setRuns((before) => [...before, run.id]);
    setThread(run.thread);
  };
  useEffect(() => {
    if (open) box.current?.querySelector("input")?.focus();
  }, [open]);
  return (
    <Drawer open={open} onClose={onClose} title="Ask" actions={<IconButton icon={MessageSquarePlus} label="New conversation" onClick={begin} />}>
      <div className="assistant-panel" ref={box}>
        <div className="talk" role="log" aria-label="Conversation">
          {runs.length === 0 && <p className="muted">Ask about {team}: builds, errors, logs, nodes, GitHub. The same answers as on the assistant’s page.</p>}
          {runs.map((id) => (
            <Exchange key={id} team={team} id={id} onClose={onClose} />
          ))}
        </div>
        {page && (
          <p className="about">
            <span className="chip">
              about {pageWord(page)}
              <button type="button" aria-label={`Not about ${pageWord(page)}`} onClick={drop}>
                <X size={12} aria-hidden="true" />
              </button>
            </span>
          </p>
        )}
        <AskBox key={suggested} initial={suggested} team={team} thread={thread} label={`Ask about ${team}`} page={page} onRun={onRun} focus />
      </div>
    </Drawer>
  );
}

/** What the page behind shows, until it is taken away; on another page it is back. */
function useLookedAt(): { page?: Page; drop: () => void } {
  const { pathname, search } = useLocation();
  const { page: shown } = useContext(FrameStateContext);
  const [without, setWithout] = useState<string>();
  const page = without === pathname ? undefined : pageAt(pathname, search as Record<string, unknown>, shown.title);
  return { page, drop: () => setWithout(pathname) };
}

function Exchange({ team, id, onClose }: { team: string; id: string; onClose: () => void }) {
  const run = useQuery(runQuery(id)).data;
  const base = useSession().public_url;
  const end = useRef<HTMLDivElement>(null);
  const status = run?.status;
  useEffect(() => {
    // Some browsers give a promise, which must not pass for a way to clean up.
    end.current?.scrollIntoView?.({ block: "nearest" });
  }, [status]);
  if (!run) return null;
  const last = run.steps?.at(-1);
  return (
    <article className="exchange" aria-label={run.question}>
      <p className="asked">{run.question}</p>
      {run.status === "running" ? <p className="meta">{last ? `Looked at ${last.tool} …` : "Looking it up …"}</p> : <Answer text={run.answer.text} base={base} />}
      {run.status !== "running" && (
        <div className="tail">
          <span className="meta">{effort(run)}</span>
          <Link className="link" to={runPath(team, run.id)} onClick={onClose}>
            how I got this <ExternalLink size={12} aria-hidden="true" className="inline" />
          </Link>
        </div>
      )}
      <div ref={end} />
    </article>
  );
}
