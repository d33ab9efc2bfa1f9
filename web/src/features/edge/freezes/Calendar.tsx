import { ChevronLeft, ChevronRight } from "lucide-react";
import { classes } from "@/ui/classes";
import { IconButton } from "@/ui/Button";
import { type Day, freezesOn, type Month, monthOf } from "./months";
import type { Freeze } from "./queries";

const abreast = [0, 1, 2];
const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

type Props = { freezes: Freeze[]; now: number; offset: number; onOffset: (offset: number) => void; onDay: (day: Day) => void };

/** Three months; frozen days are marked. Pressing a day begins a freeze with it. */
export function Calendar({ freezes, now, offset, onOffset, onDay }: Props) {
  const today = new Date(now);
  return (
    <section className="edge-part" aria-label="Calendar">
      <div className="section-head mb-2">
        <h2>Calendar</h2>
        <span className="meta">on your clock; press a day to freeze from it</span>
        <span className="push line">
          <IconButton size="small" icon={ChevronLeft} label="Earlier" refused={offset <= 0 && "What is over is not kept here."} onClick={() => onOffset(offset - 1)} />
          <IconButton size="small" icon={ChevronRight} label="Later" onClick={() => onOffset(offset + 1)} />
        </span>
      </div>
      <div className="edge-months">
        {abreast.map((ahead) => {
          const month = monthOf(today, offset + ahead);
          return <MonthTable key={month.key} month={month} freezes={freezes} today={today} onDay={onDay} />;
        })}
      </div>
    </section>
  );
}

type MonthProps = { month: Month; freezes: Freeze[]; today: Date; onDay: (day: Day) => void };

function MonthTable({ month, freezes, today, onDay }: MonthProps) {
  return (
    <table className="edge-month">
      <caption>{month.title}</caption>
      <thead>
        <tr>
          {weekdays.map((day) => (
            <th key={day} scope="col">
              {day}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {month.weeks.map((week) => (
          <tr key={week[0]?.from.getTime()}>
            {week.map((day) => (
              <td key={day.from.getTime()}>{day.inside && <DayButton day={day} freezes={freezesOn(freezes, day)} today={today} onDay={onDay} />}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function DayButton({ day, freezes, today, onDay }: { day: Day; freezes: Freeze[]; today: Date; onDay: (day: Day) => void }) {
  const reasons = freezes.map(({ reason }) => reason).join("; ");
  const said = day.from.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
  const past = day.to <= today;
  return (
    <button
      type="button"
      className={classes("edge-day", freezes.length > 0 && "is-frozen", past && "is-past", !past && day.from <= today && "is-today")}
      disabled={past}
      aria-label={freezes.length > 0 ? `${said}, frozen: ${reasons}` : said}
      title={reasons || undefined}
      onClick={() => onDay(day)}
    >
      {day.number}
    </button>
  );
}
