import { ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import { plural } from "@/format/bytes";
import { clockTime } from "@/format/time";
import { CodeBlock } from "@/ui/CodeBlock";
import { CopyButton } from "@/ui/CopyButton";
import { Chip } from "@/ui/facts";
import { Icon } from "@/ui/Icon";
import { Segmented } from "@/ui/Segmented";
import { ExternalAddress } from "../links/ExternalAddress";
import { type At, frameUrl } from "../links/words";
import type { Event, Exception, Frame } from "../queries";
import { chain, firstOpen, hasFrames, pieces, place, rawStack, shortValue, source } from "./frames";
import type { IssueSearch } from "./search";

type Props = { event: Event; at?: At; search: IssueSearch; setSearch: (change: Partial<IssueSearch>) => void };

/** Where it broke: the error, then what caused it, each with its frames. */
export function StackTrace({ event, at, search, setSearch }: Props) {
  const errors = chain(event);
  if (errors.length === 0) {
    return (
      <section aria-label="Message">
        <div className="section-head">
          <h2>Message</h2>
        </div>
        <p className="quote">{event.message?.formatted ?? "The client sent neither a stack trace nor a message."}</p>
      </section>
    );
  }
  return (
    <section aria-label="Stack trace">
      <div className="section-head issues-stack-head">
        <h2>Stack trace</h2>
        <span className="meta clip">
          event <code>{event.event_id.slice(0, 8)}</code>, {clockTime(event.timestamp)}
        </span>
        <span className="actions">
          <Segmented label="Frames" value={search.frames} onChange={(frames) => setSearch({ frames })} options={[{ value: "app", label: "In app" }, { value: "full", label: "Full" }, { value: "raw", label: "Raw" }]} />
          <Segmented label="Order of frames" value={search.order} onChange={(order) => setSearch({ order })} options={[{ value: "newest", label: "Newest first" }, { value: "oldest", label: "Oldest" }]} />
          <CopyButton what="Copy the stack trace" text={() => errors.map(rawStack).join("\nCaused by: ")} />
        </span>
      </div>
      <div className="grid gap-3 grid-cols-[minmax(0,1fr)]">
        {errors.map((error, index) => (
          <OneError key={`${event.event_id}${index}`} error={error} cause={index > 0} at={at} search={search} />
        ))}
      </div>
    </section>
  );
}

function OneError({ error, cause, at, search }: { error: Exception; cause: boolean; at?: At; search: IssueSearch }) {
  const handled = error.mechanism?.handled;
  return (
    <div>
      <div className="issues-error">
        {cause && <span className="meta">caused by</span>}
        <h3>
          {error.type}
          {error.value && <span className="value">{error.type ? ": " : ""}{error.value}</span>}
        </h3>
        {handled === false && <Chip kind="warn">unhandled</Chip>}
        {error.mechanism?.type && error.mechanism.type !== "generic" && <span className="meta">{error.mechanism.type}</span>}
      </div>
      {!hasFrames(error.stack) ? (
        <p className="meta">No stack trace was sent with it.</p>
      ) : search.frames === "raw" ? (
        <CodeBlock code={rawStack(error)} label="Stack trace" />
      ) : (
        <Frames key={`${search.frames}${search.order}`} commit={at} frames={error.stack.frames} appOnly={search.frames === "app"} newestFirst={search.order === "newest"} />
      )}
    </div>
  );
}

function Frames({ commit, frames, appOnly, newestFirst }: { commit?: At; frames: Frame[]; appOnly: boolean; newestFirst: boolean }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set([`f${firstOpen(frames)}`]));
  const toggle = (key: string) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  return (
    <div className="issues-frames">
      {pieces(frames, appOnly, newestFirst).map((piece) => {
        if (!("folded" in piece)) return <OneFrame key={piece.at} commit={commit} frame={piece.frame} open={open.has(`f${piece.at}`)} onToggle={() => toggle(`f${piece.at}`)} />;
        const key = `g${piece.folded[0]?.at}`;
        const unfolded = open.has(key);
        return (
          <div key={key}>
            <button type="button" className="frame folded" aria-expanded={unfolded} onClick={() => toggle(key)}>
              <Icon of={unfolded ? ChevronDown : ChevronRight} size="s" />
              {plural(piece.folded.length, "frame")} {piece.from ? `from ${piece.from}` : "of libraries"}
            </button>
            {unfolded && piece.folded.map(({ frame, at }) => <OneFrame key={at} commit={commit} frame={frame} open={open.has(`f${at}`)} onToggle={() => toggle(`f${at}`)} />)}
          </div>
        );
      })}
    </div>
  );
}

function OneFrame({ commit, frame, open, onToggle }: { commit?: At; frame: Frame; open: boolean; onToggle: () => void }) {
  const lines = source(frame);
  const locals = Object.entries(frame.vars ?? {});
  const mapped = frame.unmapped ? `unmapped: ${frame.unmapped}` : frame.minified ? "mapped by a source map" : "";
  const url = frameUrl(frame, commit);
  return (
    <div className="issues-frame">
      <button type="button" className="frame" aria-expanded={open} onClick={onToggle}>
        <Icon of={open ? ChevronDown : ChevronRight} size="s" />
        <span className="fn">{frame.function || "<anonymous>"}</span>
        <span className="at clip">{place(frame)}</span>
        {frame.in_app && <Chip>in app</Chip>}
        {mapped && <span className="meta push desk clip" title={mapped}>{mapped}</span>}
      </button>
      {url && (
        <ExternalAddress className="link meta issues-open" url={url} title={`Open ${place(frame)} at ${commit?.sha.slice(0, 8)}`}>
          Open at {commit?.sha.slice(0, 7)}
        </ExternalAddress>
      )}
      {open && (
        <>
          {lines.length > 0 && (
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways and must be reachable
            <div className="issues-source" role="region" aria-label={`Source of ${place(frame)}`} tabIndex={0}>
              <ol>
                {lines.map(({ no, text, hit }) => (
                  <li key={no} className={hit ? "err" : undefined}>
                    <span className="n">{no}</span>
                    <span>{text || " "}</span>
                  </li>
                ))}
              </ol>
            </div>
          )}
          {locals.length > 0 && (
            <dl className="issues-locals">
              {locals.map(([name, value]) => (
                <div key={name}>
                  <dt>{name} =</dt> <dd title={shortValue(value, 2000)}>{shortValue(value)}</dd>
                </div>
              ))}
            </dl>
          )}
          {lines.length === 0 && locals.length === 0 && <p className="meta issues-bare">{frame.minified ? `Minified at ${frame.minified.filename}:${frame.minified.line}.` : "The client sent neither source nor variables of this frame."}</p>}
        </>
      )}
    </div>
  );
}
