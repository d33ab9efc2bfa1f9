import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { between } from "@/format/duration";
import { localTime } from "@/format/time";
import { Button } from "@/ui/Button";
import { Chip } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { deliveryGlyph, deliveryWord, ownPath, valueWords } from "./form";
import { type Alert, type AlertFiring, firingsQuery } from "./queries";

/** How an alert stands, and each time that it fired. */
export function AlertHistory({ team, alert }: { team: string; alert: Alert }) {
  const pages = useInfiniteQuery(firingsQuery(alert.id));
  const rows = pages.data?.pages.flatMap((page) => page.items);
  const problem = pages.error ? asProblem(pages.error) : undefined;
  return (
    <>
      <div className="pane grid gap-3">
        <p className="logs-told">{alert.sentence}</p>
        {alert.error && <Notice kind="bad">It cannot be looked at since {alert.since ? localTime(alert.since) : "the last time"}: {alert.error}</Notice>}
        {alert.problem && <Notice kind="warn">{alert.problem}</Notice>}
        {alert.muted_until && <Notice>Nobody is told until {localTime(alert.muted_until)}.</Notice>}
        <Now alert={alert} />
      </div>
      {problem ? (
        <ErrorState what="The history cannot be read" why={problem.message} requestId={problem.requestId} onRetry={() => void pages.refetch()} />
      ) : rows?.length === 0 ? (
        <EmptyState small headline="It has not fired yet" waiting={alert.enabled ? `Watching the lines of ${team}` : undefined}>
          Each time it fires is listed here with what became of its messages. The test button sends a marked message now.
        </EmptyState>
      ) : (
        <Table label="History" rows={rows} rowKey={({ id }) => String(id)} columns={columns(alert)} keyboard />
      )}
      {pages.hasNextPage && (
        <div className="pane">
          <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

/** What it sees now. */
function Now({ alert }: { alert: Alert }) {
  const { firing, condition } = alert;
  if (!alert.enabled) return <p className="muted">It is switched off: nobody looks.</p>;
  return (
    <>
      <p className="meta">
        {alert.checked_at ? (
          <>
            Looked at <RelativeTime at={alert.checked_at} />
            {condition.kind !== "pattern" && `; the value is ${valueWords(alert.value, condition.kind)}`}
          </>
        ) : (
          "It is looked at within a minute."
        )}
      </p>
      {firing.some(({ subject }) => subject) && (
        <section aria-label="Firing now">
          <h2 className="micro pb-1">{plural(firing.length, "of them is firing", "of them are firing")}</h2>
          <ul className="rows logs-subjects">
            {firing.map(({ subject, since, value }) => (
              <li key={subject}>
                <Status status="failed" word="" />
                <span className="mono">{subject}</span>
                {condition.kind !== "pattern" && <span className="num">{valueWords(value, condition.kind)}</span>}
                <span className="meta push">
                  since <RelativeTime at={since} />
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

const columns = ({ condition }: Alert): Column<AlertFiring>[] => [
  {
    key: "what",
    head: "What was seen",
    lead: true,
    cell: ({ why, url, subject, test }) => {
      const to = ownPath(url);
      const title = subject || why;
      return (
        <span className="logs-rule-line">
          <span className="min-w-0">
            <span className="line">
              {to ? (
                <Link className="title" to={to}>
                  {title}
                </Link>
              ) : (
                <span className="title">{title}</span>
              )}
              {test && <Chip>test</Chip>}
            </span>
            {title !== why && !why.endsWith(subject) && <span className="meta block">{why}</span>}
          </span>
        </span>
      );
    },
  },
  { key: "value", head: "Value", said: "value", width: 96, number: true, cell: ({ value, test }) => (test || condition.kind === "pattern" ? "" : valueWords(value, condition.kind)) },
  { key: "lasted", head: "Lasted", said: "lasted", width: 110, cell: ({ at, ended_at: ended, test }) => (test ? "" : ended ? between(at, ended) : <Status status="failed" word="still" />) },
  {
    key: "whom",
    head: "Whom",
    width: 280,
    cell: ({ deliveries }) => (
      <span className="grid gap-1 py-1.5">
        {deliveries.map((one) => (
          <span key={`${one.about}${one.target}`}>
            <span className="line">
              <Status status={deliveryGlyph(one)} word={deliveryWord(one)} />
              <span className="clip">{one.label}</span>
            </span>
            {one.error && <span className="meta block logs-bad logs-labels">{one.error}</span>}
          </span>
        ))}
        {deliveries.length === 0 && <span className="muted">nobody</span>}
      </span>
    ),
  },
  { key: "at", head: "When", width: 110, cell: ({ at }) => <RelativeTime at={at} /> },
];
