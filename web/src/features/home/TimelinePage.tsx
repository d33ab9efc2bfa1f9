import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { plural } from "@/format/bytes";
import { Input, Select } from "@/ui/Field";
import { numberOr, oneOf, params, text } from "@/ui/schema";
import { Segmented } from "@/ui/Segmented";
import { SkeletonRows } from "@/ui/Skeleton";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { asProblem } from "@/api/problem";
import { Happenings } from "./Happenings";
import { HomeFrame } from "./HomeFrame";
import { kinds, ofKind } from "./looks";
import { homePath } from "./paths";
import { servicesQuery, timelineQuery } from "./queries";

const search = params({ hours: numberOr(24), until: text(40), service: text(63), kind: oneOf(["push", "build", "release", "error", "alert", "edge"]) });
const spans = [1, 6, 24, 168, 720].map((hours) => ({ value: String(hours), label: hours < 48 ? `${hours} h` : `${hours / 24} d` }));

/** What happened between two times, over everything. */
export function TimelinePage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [{ hours, until, service, kind }, set] = useUrlState(search);
  const services = useQuery(servicesQuery(team)).data?.items ?? [];
  const span = Math.min(744, Math.max(1, hours));
  const { data: timeline, error } = useQuery(timelineQuery(team, { hours: span, until, service }));
  const events = ofKind(timeline?.events ?? [], kind);
  return (
    <HomeFrame team={team} title="Timeline" under={{ label: "Home", to: homePath(team) }} missing={timeline?.missing} meta={timeline && plural(events.length, "event")}>
      <div className="toolbar flex-wrap">
        <Segmented label="How far back" value={String(span)} options={spans} onChange={(value) => set({ hours: value === "24" ? undefined : Number(value) })} />
        <Select compact aria-label="Kind" value={kind ?? ""} options={[{ value: "", label: "Everything" }, ...kinds]} onValue={(value) => set({ kind: (value || undefined) as typeof kind })} />
        {services.length > 0 && (
          <Select compact aria-label="Service" value={service ?? ""} options={[{ value: "", label: "All services" }, ...services.map(({ name }) => ({ value: name, label: name }))]} onValue={(value) => set({ service: value || undefined })} />
        )}
        <span className="line">
          <span className="meta" aria-hidden="true">up to</span>
          <Input compact aria-label="Up to" type="datetime-local" value={until ? local(until) : ""} onChange={({ target }) => set({ until: target.value ? new Date(target.value).toISOString() : undefined })} />
        </span>
      </div>
      {timeline?.cut && (
        <div className="pane pb-0">
          <Notice>More happened than is shown: these are the newest 500. Choose a shorter time.</Notice>
        </div>
      )}
      {error ? (
        <ErrorState what={asProblem(error).title} why={asProblem(error).detail} />
      ) : !timeline ? (
        <SkeletonRows />
      ) : events.length === 0 ? (
        <EmptyState headline="Nothing happened then">Pushes, builds, releases, deploys, new errors, alerts, rollouts and nodes show here in the order of time. Choose a longer time, or everything.</EmptyState>
      ) : (
        <Happenings events={events} label="Timeline" />
      )}
    </HomeFrame>
  );
}

/** An instant as the field for it wants: the reader's clock, to the minute. */
function local(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "" : new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
