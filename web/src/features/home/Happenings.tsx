import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { localTime } from "@/format/time";
import { Icon } from "@/ui/Icon";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { byDay, kindIcon, toneStatus } from "./looks";
import type { Happening } from "./queries";

const dayOf = (at: string) => new Date(at).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
const clock = (at: string) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

/** What happened, newest first, a heading for each day. */
export function Happenings({ events, label }: { events: Happening[]; label: string }) {
  return (
    <section aria-label={label}>
      {byDay(events, dayOf).map(({ day, events: ofDay }) => (
        <div key={day}>
          <h3 className="micro px-(--gutter) pt-3 pb-1">{day}</h3>
          <ul className="rows">
            {ofDay.map((event, at) => (
              <Row key={`${event.at} ${event.path} ${at}`} event={event} />
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

function Row({ event }: { event: Happening }) {
  return (
    <Line when={<time dateTime={event.at} title={localTime(event.at)}>{clock(event.at)}</time>} kind={event.kind} tone={event.tone} title={event.title} path={event.path} detail={event.detail}>
      {event.actor}
    </Line>
  );
}

type LineProps = { when: ReactNode; kind: string; tone: Happening["tone"]; title: string; path: string; detail?: string; children?: ReactNode };

/** One line: when, the sign of its kind or state, what, and who at its end. */
export function Line({ when, kind, tone, title, path, detail, children }: LineProps) {
  const status = toneStatus(tone);
  return (
    <li className="happening">
      <span className="meta num">{when}</span>
      {status ? <StatusGlyph status={status} label={tone === "good" ? "good news" : tone === "bad" ? "bad news" : "look"} /> : <Icon of={kindIcon(kind)} size="s" />}
      <span className="what">
        <Link className="link" to={path}>
          {title}
        </Link>
        {detail && <span className="muted">{detail}</span>}
      </span>
      <span className="meta">{children}</span>
    </li>
  );
}
