import { Fragment, memo } from "react";
import { classes } from "@/ui/classes";
import type { Line } from "../queries";
import { parts, sourceOf, valueOf } from "./fields";
import { clock, dayOf } from "./range";

export type RowLook = { utc: boolean; days: boolean; columns: string[]; words: string[] };

type Props = { line: Line; look: RowLook; open: boolean; onToggle: (id: string) => void };

// What a line says beside its message, before it is opened.
const aside = 6;
const longest = 60;

/** One line: time, level, who wrote it, pinned columns, message. */
export const LineRow = memo(function LineRow({ line, look, open, onToggle }: Props) {
  const at = Date.parse(line.time);
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- the time inside is the button; the row around it is a larger target for pointers
    <div
      className={classes("logs-row", `l-${line.level}`, open && "open")}
      onClick={(event) => {
        if ((event.target as Element).closest("button")) return;
        // A selection is made to copy or search for it; the second press of two takes the first back.
        if (event.detail === 2 || (event.detail < 2 && !String(getSelection()))) onToggle(line.id);
      }}
    >
      <button type="button" className="time" aria-expanded={open} onClick={() => onToggle(line.id)} title={line.time}>
        {look.days && `${dayOf(at, look.utc)} `}
        {clock(at, look.utc, true, true)}
      </button>
      <span className="lvl">{line.level === "unknown" ? "" : line.level}</span>
      <span className="src clip">{sourceOf(line)}</span>
      {look.columns.map((name) => (
        <span key={name} className="col clip" title={valueOf(line, name)}>
          {valueOf(line, name) || "–"}
        </span>
      ))}
      <span className="msg">
        {parts(line.message, look.words).map(({ text, hit }, at) => (hit ? <mark key={at}>{text}</mark> : <Fragment key={at}>{text}</Fragment>))}
        {!open && line.fields.length > 0 && (
          <em>
            {line.fields
              .filter(({ value }) => value.length <= longest)
              .slice(0, aside)
              .map(({ name, value }) => ` ${name}=${value}`)
              .join("")}
          </em>
        )}
      </span>
    </div>
  );
});
