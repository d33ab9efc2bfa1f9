import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { Button } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { Icon } from "@/ui/Icon";
import type { Status } from "@/ui/status";
import { StatusGlyph } from "@/ui/StatusGlyph";
import type { Chapter } from "./queries";

type Props = { chapter: Chapter; number: number; open: boolean; busy: boolean; onOpen: () => void; onAct: (name: string) => void; onNext?: () => void };

const statusOf = (chapter: Chapter): Status => (chapter.done ? "succeeded" : chapter.busy ? "running" : "pending");
const wordOf = (chapter: Chapter) => (chapter.done ? "happened" : chapter.busy ? "going on" : "to come");

/** One chapter: a line, and all of it where it is read. */
export function ChapterItem({ chapter, number, open, busy, onOpen, onAct, onNext }: Props) {
  return (
    <li className={classes("chapter", open && "open")} aria-current={open ? "step" : undefined}>
      <button type="button" className="chapter-title" aria-expanded={open} onClick={onOpen}>
        <StatusGlyph status={statusOf(chapter)} label={wordOf(chapter)} />
        <span className="num muted">{number}</span>
        <span className="strong min-w-0">{chapter.title}</span>
      </button>
      {open && <Told chapter={chapter} busy={busy} onAct={onAct} onNext={onNext} />}
    </li>
  );
}

function Told({ chapter, busy, onAct, onNext }: Pick<Props, "chapter" | "busy" | "onAct" | "onNext">) {
  const { act } = chapter;
  return (
    <div className="chapter-told">
      <p>{chapter.what}</p>
      {chapter.seen && (
        <p className="muted" role="status">
          {chapter.seen}
        </p>
      )}
      <div className="line flex-wrap">
        {act && (
          <Button kind={chapter.done ? "second" : "primary"} busy={busy} refused={act.refusal || false} onClick={() => onAct(act.name)}>
            {act.label}
          </Button>
        )}
        {chapter.links.map(({ label, path }) => (
          <StoryLink key={path} label={label} path={path} />
        ))}
        {onNext && (
          <Button kind={chapter.done ? "primary" : "quiet"} icon={ArrowRight} className="push" onClick={onNext}>
            Next chapter
          </Button>
        )}
      </div>
    </div>
  );
}

/** Leads to a real page; an address may have a query. */
function StoryLink({ label, path }: { label: string; path: string }) {
  const [to = "", query = ""] = path.split("?");
  return (
    <Link className="btn" to={to} search={Object.fromEntries(new URLSearchParams(query)) as never}>
      <Icon of={ArrowRight} size="s" />
      {label}
    </Link>
  );
}
