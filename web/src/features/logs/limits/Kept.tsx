import { Link } from "@tanstack/react-router";
import { bytes, count, plural } from "@/format/bytes";
import { Progress } from "@/ui/facts";
import { Notice } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useNow } from "@/ui/useNow";
import { term } from "../explore/terms";
import { logsPath } from "../paths";
import { type Day, daysShown, forecastWords, squeezed, sum } from "./kept";
import type { Sizes } from "./queries";

/** What lines take, day by day, and when the oldest go. */
export function Kept({ sizes }: { sizes: Sizes }) {
  const now = useNow(true, 600);
  const { days, retention, damage } = sizes;
  const shown = daysShown(sizes, now);
  const all = sum(days);
  const today = shown.at(-1) as Day;
  const share = retention.bytes > 0 ? all.disk / retention.bytes : 0;
  return (
    <>
      <dl className="logs-figures">
        <Figure name="Today" value={bytes(today.raw)} more={plural(today.lines, "line")} />
        <Figure name="Of that on disk" value={bytes(today.disk)} more={squeezed(today.raw, today.disk)} />
        <Figure name="All days on disk" value={bytes(all.disk)} more={retention.bytes > 0 ? `of ${bytes(retention.bytes)}` : "no limit of size"} />
        <Figure name="Days" value={count(days.length)} more={retention.days > 0 ? `of ${count(retention.days)}` : "no limit of age"} />
      </dl>
      <section className="pane" aria-label="Day by day">
        {damage.map(({ file, detail, lines }) => (
          <Notice key={file} kind="bad">
            {file} is damaged and left out of searches: {detail}
            {lines ? ` (${plural(lines, "line")})` : ""}
          </Notice>
        ))}
        <div className="logs-fill">
          <span>{forecastWords(sizes)}.</span>
          <span className="meta num">{retention.bytes > 0 && `${share < 0.001 && all.disk > 0 ? "< 0.1" : (share * 100).toFixed(share < 0.1 ? 1 : 0)} % of the room`}</span>
          {retention.bytes > 0 && <Progress value={share} label="Room that lines take" />}
        </div>
        <Days days={shown} />
      </section>
    </>
  );
}

function Figure({ name, value, more }: { name: string; value: string; more?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        <span className="meta">{more ?? "\u00a0"}</span>
      </dd>
    </div>
  );
}

function Days({ days }: { days: Day[] }) {
  const most = Math.max(1, ...days.map(({ disk }) => disk));
  const said = (day: Day) => `${day.day}: ${bytes(day.raw)} came, ${bytes(day.disk)} on disk`;
  return (
    <>
      <ol className="logs-days" aria-label="On disk by day">
        {days.map((day, at) => (
          <li key={day.day} className={at === days.length - 1 ? "today" : undefined} title={said(day)}>
            <span className="sr">{said(day)}</span>
            <i style={{ height: day.disk > 0 ? `${Math.max(2, (day.disk / most) * 100)}%` : "0" }} aria-hidden="true" />
          </li>
        ))}
      </ol>
      <p className="logs-days-ends meta" aria-hidden="true">
        <span>{days[0]?.day}</span>
        <span>highest {bytes(most)}</span>
        <span>today</span>
      </p>
    </>
  );
}

type Stream = Sizes["streams"][number];

/** The streams of today, the largest first. */
export function Streams({ team, sizes }: { team: string; sizes: Sizes }) {
  const all = Math.max(1, sum(sizes.streams.map((stream) => ({ day: "", ...stream }))).raw);
  return (
    <section aria-label="Streams of today">
      <div className="section-head px-[var(--gutter)]">
        <h2>Streams of today</h2>
        <span className="meta">the largest first</span>
      </div>
      {sizes.streams.length === 0 ? <p className="pane muted pt-0">Nothing came today.</p> : <Table label="Streams of today" compact columns={streamColumns(team, all)} rows={sizes.streams} rowKey={({ labels }) => JSON.stringify(labels)} />}
    </section>
  );
}

const labelsOf = ({ labels }: Stream) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

const queryOf = ({ labels }: Stream) =>
  Object.entries(labels)
    .map(([name, value]) => term(name, value))
    .join(" ");

const streamColumns = (team: string, all: number): Column<Stream>[] => [
  { key: "labels", head: "Labels", lead: true, cell: (stream) => (
      <Link className="mono logs-labels" to={logsPath(team)} search={{ q: queryOf(stream), from: "now-24h" } as never}>
        {labelsOf(stream) || "no labels"}
      </Link>
    ),
    sort: (a, b) => labelsOf(a).localeCompare(labelsOf(b)) },
  { key: "lines", head: "Lines", said: "lines", width: 110, number: true, cell: ({ lines }) => count(lines), sort: (a, b) => a.lines - b.lines },
  { key: "raw", head: "Came in", said: "came in", width: 110, number: true, cell: ({ raw }) => bytes(raw), sort: (a, b) => a.raw - b.raw },
  { key: "disk", head: "On disk", said: "on disk", width: 110, number: true, cell: ({ disk }) => bytes(disk), sort: (a, b) => a.disk - b.disk },
  {
    key: "share",
    head: "Share",
    width: 160,
    end: true,
    cell: ({ raw }) => (
      <span className="logs-share">
        <i style={{ width: `${(raw / all) * 100}%` }} />
        <span className="num">{Math.round((raw / all) * 100)} %</span>
      </span>
    ),
  },
];
