import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { plural } from "@/format/bytes";
import { duration } from "@/format/duration";
import { classes } from "@/ui/classes";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { statusWord } from "@/ui/status";
import { useNow } from "../log/useMedia";
import type { Build } from "../queries";
import { firstLine, isOver, notRun, type Shown, shownStatus, shownSteps, took } from "./steps";

type Row = { shown: Shown; depth: number; position: number; among: number };

/** The steps as a tree: arrows move, Enter goes to the step's lines. */
export function StepTree({ build }: { build: Build }) {
  const running = !isOver(build.status);
  const now = useNow(running);
  const [folded, setFolded] = useState<ReadonlySet<string>>(() => new Set());
  const rows = useMemo(() => visible(shownSteps(build.steps), folded), [build.steps, folded]);
  const [at, setAt] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const current = rows.find(({ shown }) => shown.step.id === (at ?? build.failure?.step))?.shown.step.id ?? rows[0]?.shown.step.id;

  const fold = (id: string, closed: boolean) =>
    setFolded((before) => {
      const next = new Set(before);
      if (closed) next.add(id);
      else next.delete(id);
      return next;
    });
  const go = ({ step }: Shown) => {
    setAt(step.id);
    const line = firstLine(step);
    if (line > 0) void navigate({ to: ".", search: true as never, hash: `L${line}`, replace: true, resetScroll: false, hashScrollIntoView: false });
  };
  const focus = (row: Row | undefined) => {
    if (!row) return;
    setAt(row.shown.step.id);
    list.current?.querySelector<HTMLElement>(`[data-step="${CSS.escape(row.shown.step.id)}"]`)?.focus();
  };
  const onKey = (event: KeyboardEvent, row: Row) => {
    const index = rows.indexOf(row);
    const { id } = row.shown.step;
    const inner = row.shown.children.length > 0;
    const moves: Record<string, () => void> = {
      ArrowDown: () => focus(rows[index + 1]),
      ArrowUp: () => focus(rows[index - 1]),
      Home: () => focus(rows[0]),
      End: () => focus(rows.at(-1)),
      ArrowRight: () => (inner && folded.has(id) ? fold(id, false) : focus(inner ? rows[index + 1] : undefined)),
      ArrowLeft: () => (inner && !folded.has(id) ? fold(id, true) : focus(rows.slice(0, index).findLast(({ depth }) => depth < row.depth))),
      Enter: () => go(row.shown),
      " ": () => go(row.shown),
    };
    const move = moves[event.key];
    if (!move || event.metaKey || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    move();
  };
  const why = notRun(build.steps);
  const total = counted(shownSteps(build.steps));
  return (
    <section className="step-list">
      <h2 className="micro steps-h">
        Steps
        <span className="push meta">
          {total}
          {build.duration_ms ? ` · ${duration(build.duration_ms / 1000)}` : ""}
        </span>
      </h2>
      {rows.length === 0 && <p className="meta note">{running ? "The steps show once the build starts." : "It ended before it had steps."}</p>}
      <div className="steps" role="tree" aria-label={`${plural(total, "step")}`} ref={list}>
        {rows.map((row) => (
          <StepRow key={row.shown.step.id} row={row} current={row.shown.step.id === current} folded={folded.has(row.shown.step.id)} now={now} onGo={() => go(row.shown)} onKey={(event) => onKey(event, row)} />
        ))}
      </div>
      {why && <p className="meta note">{why}</p>}
    </section>
  );
}

type StepRowProps = { row: Row; current: boolean; folded: boolean; now: number; onGo: () => void; onKey: (event: KeyboardEvent) => void };

function StepRow({ row, current, folded, now, onGo, onKey }: StepRowProps) {
  const { step, kind, name, children } = row.shown;
  const status = shownStatus(step.status);
  return (
    <div
      role="treeitem"
      aria-level={row.depth + 1}
      aria-posinset={row.position}
      aria-setsize={row.among}
      aria-expanded={children.length > 0 ? !folded : undefined}
      aria-selected={current}
      tabIndex={current ? 0 : -1}
      data-step={step.id}
      className={classes("step", row.depth > 0 && "branch", current && "is-current")}
      style={{ "--d": row.depth } as React.CSSProperties}
      title={step.message || undefined}
      onClick={onGo}
      onKeyDown={onKey}
    >
      <StatusGlyph status={status} label={statusWord(status)} />
      <span className="kind">{kind}</span>
      <span className="clip">{name}</span>
      <span className="took">{took(step, now)}</span>
    </div>
  );
}

const counted = (shown: Shown[]): number => shown.reduce((sum, { children }) => sum + 1 + counted(children), 0);

function visible(shown: Shown[], folded: ReadonlySet<string>, depth = 0): Row[] {
  return shown.flatMap((one, at) => [{ shown: one, depth, position: at + 1, among: shown.length }, ...(folded.has(one.step.id) ? [] : visible(one.children, folded, depth + 1))]);
}
