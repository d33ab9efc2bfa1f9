import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, ErrorState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { eventPath } from "../paths";
import { type EventRow, eventsQuery } from "../queries";

/** Every event of an issue that is still kept, the newest first. */
export function EventsTab({ team, issue }: { team: string; issue: number }) {
  const pages = useInfiniteQuery(eventsQuery(issue));
  const navigate = useNavigate();
  const rows = pages.data?.pages.flatMap((page) => page.events);
  if (pages.error) return <ErrorState what="The events cannot be listed" why={asProblem(pages.error).message} requestId={asProblem(pages.error).requestId} onRetry={() => void pages.refetch()} />;
  if (rows?.length === 0) {
    return (
      <EmptyState small headline="No event is kept any more">
        The project keeps events for a time only; the numbers of the issue stay.
      </EmptyState>
    );
  }
  return (
    <>
      <Table label="Events" rows={rows} rowKey={({ event_id: id }) => id} columns={columns(team, issue)} onOpen={({ event_id: id }) => void navigate({ to: eventPath(team, issue, id) })} keyboard />
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

const columns = (team: string, issue: number): Column<EventRow>[] => [
  {
    key: "title",
    head: "Event",
    lead: true,
    cell: ({ event_id: id, title }) => (
      <Link className="title" to={eventPath(team, issue, id)}>
        {title}
      </Link>
    ),
  },
  { key: "id", head: "Id", width: 100, cell: ({ event_id: id }) => <span className="loc">{id.slice(0, 8)}</span> },
  { key: "level", head: "Level", width: 80, cell: ({ level }) => level },
  { key: "environment", head: "Environment", width: 120, cell: ({ environment }) => environment || "–" },
  { key: "release", head: "Release", width: 160, cell: ({ release }) => <span className="loc">{release || "–"}</span> },
  { key: "user", head: "User", width: 180, cell: ({ user }) => user || "–" },
  { key: "at", head: "When", width: 110, cell: ({ timestamp }) => <RelativeTime at={timestamp} /> },
];
