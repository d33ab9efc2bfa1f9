import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { asProblem } from "@/api/problem";
import { Button, IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Input } from "@/ui/Field";
import { ErrorState } from "@/ui/states";
import { classes } from "@/ui/classes";
import { aroundQuery } from "../queries";
import { plain, sourceOf } from "./fields";
import { clock, dayOf } from "./range";

const step = 20;
const most = 500;

type Props = { team: string; id: string; utc: boolean; onClose: () => void };

/** The lines of the same stream before and after one, more of them each way. */
export function ContextDialog({ team, id, utc, onClose }: Props) {
  const [before, setBefore] = useState(step);
  const [after, setAfter] = useState(step);
  const [filter, setFilter] = useState("");
  const { data, error, refetch } = useQuery({ ...aroundQuery(team, id, before, after), placeholderData: keepPreviousData });
  const here = useRef<HTMLLIElement>(null);
  const there = Boolean(data);
  useEffect(() => {
    if (there) here.current?.scrollIntoView?.({ block: "center" });
  }, [there]);
  const line = data?.lines[data.index];
  const wanted = filter.toLowerCase();
  const lines = (data?.lines ?? []).filter((other) => other.id === id || !wanted || plain(other).toLowerCase().includes(wanted));
  const labels = line && Object.entries(line.labels).map(([name, value]) => `${name}=${value}`).join(" ");
  const earlier = data && data.index >= 0 && data.index < before;
  const later = data && data.index >= 0 && data.lines.length - data.index - 1 < after;
  return (
    <Dialog open onClose={onClose} title="Lines around it" className="logs-around">
      <div className="line">
        <span className="mono clip muted">{labels ?? (line && sourceOf(line))}</span>
        <span className="push logs-around-find">
          <Input compact value={filter} onChange={(event) => setFilter(event.target.value)} aria-label="Filter these lines" placeholder="Filter these lines" />
        </span>
        <IconButton icon={X} label="Close" onClick={onClose} />
      </div>
      {error ? (
        <ErrorState what="The lines around it cannot be read" why={asProblem(error).message} requestId={asProblem(error).requestId} onRetry={() => void refetch()} />
      ) : (
        <>
          {data && data.index < 0 && <p className="muted">This line is no longer kept.</p>}
          <div>
            <Button size="small" icon={ArrowUp} onClick={() => setBefore(Math.min(most, before + step))} refused={(earlier && "The stream begins here.") || (before >= most && `No more than ${most} lines each way are shown.`)}>
              {step} earlier
            </Button>
          </div>
          {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable */}
          <ol className="logs-around-lines" tabIndex={0} aria-label="Lines of the same stream" aria-busy={!data}>
            {lines.map((other) => (
              <li key={other.id} ref={other.id === id ? here : undefined} className={classes("logs-row", `l-${other.level}`, other.id === id && "here")} aria-current={other.id === id || undefined}>
                <time dateTime={other.time} title={other.time}>
                  {dayOf(Date.parse(other.time), utc)} {clock(Date.parse(other.time), utc, true, true)}
                </time>
                <span className="lvl">{other.level === "unknown" ? "" : other.level}</span>
                <span className="msg">
                  {other.message}
                  {other.fields.length > 0 && <em> {other.fields.slice(0, 6).map(({ name, value }) => `${name}=${value.slice(0, 60)}`).join(" ")}</em>}
                </span>
              </li>
            ))}
          </ol>
          <div>
            <Button size="small" icon={ArrowDown} onClick={() => setAfter(Math.min(most, after + step))} refused={(later && "Nothing came after this yet.") || (after >= most && `No more than ${most} lines each way are shown.`)}>
              {step} later
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
}
