import { type ReactNode, useRef } from "react";
import { localTime } from "@/format/time";
import { useActions } from "@/ui/frame/hooks";
import { Icon } from "@/ui/Icon";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { PathLink } from "@/ui/thread/PathLink";
import { byDay, kindIcon, toneStatus } from "./looks";
import type { Happening } from "./queries";

const dayOf = (at: string) => new Date(at).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" });
const clock = (at: string) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

/** What happened, newest first, a heading for each day. */
export function Happenings({ events, label }: { events: Happening[]; label: string }) {
  const list = useRef<HTMLElement>(null);
  const move = (by: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>(".what > a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  const group = "List";
  useActions([
    { id: "happenings.next", label: "Next event", group, keys: "j", hidden: true, run: () => move(1) },
    { id: "happenings.previous", label: "Previous event", group, keys: "k", hidden: true, run: () => move(-1) },
  ]);
  return (
    <section aria-label={label} ref={list}>
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
        <PathLink path={path}>{title}</PathLink>
        {detail && <span className="muted">{detail}</span>}
      </span>
      <span className="meta">{children}</span>
    </li>
  );
}
