import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, Link2 } from "lucide-react";
import { asProblem } from "@/api/problem";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { copyText } from "@/ui/clipboard";
import { Input, Select } from "@/ui/Field";
import { useActions, useToast } from "@/ui/frame/hooks";
import { numberOr, oneOf, params, text } from "@/ui/schema";
import { Segmented } from "@/ui/Segmented";
import { SkeletonRows } from "@/ui/Skeleton";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { Happenings } from "./Happenings";
import { HomeFrame } from "./HomeFrame";
import { capabilityOf, kindNames, kinds, ofKind } from "./looks";
import { homePath, timelinePath } from "./paths";
import { type Asked, servicesQuery, spanOf, timelineQuery } from "./queries";

const search = params({ hours: numberOr(24), from: text(40), to: text(40), service: text(63), kind: oneOf(kindNames) });
const spans = [1, 6, 24, 168, 720].map((hours) => ({ value: String(hours), label: hours === 1 ? "1 hour" : hours < 48 ? `${hours} h` : `${hours / 24} d` }));

/** What happened between two times, over everything. */
export function TimelinePage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [{ hours, from, to, service, kind }, set] = useUrlState(search);
  const services = useQuery(servicesQuery(team)).data?.items ?? [];
  const span = Math.min(744, Math.max(1, hours));
  const asked: Asked = { hours: span, from: instant(from), to: instant(to), service, capability: capabilityOf(kind) };
  const { data: timeline, error } = useQuery(timelineQuery(team, asked));
  const events = ofKind(timeline?.events ?? [], kind);
  const fixed = Boolean(asked.from ?? asked.to);
  const shift = (by: number) => {
    const now = spanOf(asked);
    const length = Date.parse(now.to) - Date.parse(now.from);
    const moved = (at: string) => new Date(Date.parse(at) + by * length).toISOString();
    set({ from: moved(now.from), to: moved(now.to) });
  };
  const copy = useCopyLink({ team, asked, more: { service, kind } });
  useActions([
    { id: "timeline.link", label: "Copy link to this time", group: "This page", icon: Link2, run: copy },
    { id: "timeline.earlier", label: "Earlier", group: "This page", keys: "[", icon: ChevronLeft, run: () => shift(-1) },
    { id: "timeline.later", label: "Later", group: "This page", keys: "]", icon: ChevronRight, run: () => shift(1) },
  ]);
  return (
    <HomeFrame team={team} title="Timeline" under={{ label: "Home", to: homePath(team) }} missing={timeline?.missing} meta={timeline && plural(events.length, "event")} actions={<Button icon={Link2} onClick={copy}>Copy link</Button>}>
      <div className="toolbar flex-wrap">
        <Segmented label="How far back" value={fixed ? "" : String(span)} options={spans} onChange={(value) => set({ hours: value === "24" ? undefined : Number(value), from: undefined, to: undefined })} />
        <span className="line max-w-full flex-wrap">
          <IconButton icon={ChevronLeft} label="Earlier" onClick={() => shift(-1)} />
          <IconButton icon={ChevronRight} label="Later" onClick={() => shift(1)} />
          <Input compact className="w-auto" aria-label="From" type="datetime-local" value={local(from)} onChange={({ target }) => set({ from: iso(target.value) })} />
          <span className="meta" aria-hidden="true">to</span>
          <Input compact className="w-auto" aria-label="To" type="datetime-local" value={local(to)} onChange={({ target }) => set({ to: iso(target.value) })} />
        </span>
        <Select compact aria-label="Kind" value={kind ?? ""} options={[{ value: "", label: "Everything" }, ...kinds.map(({ value, label }) => ({ value, label }))]} onValue={(value) => set({ kind: value || undefined })} />
        {services.length > 0 && (
          <Select compact aria-label="Service" value={service ?? ""} options={[{ value: "", label: "All services" }, ...services.map(({ name }) => ({ value: name, label: name }))]} onValue={(value) => set({ service: value || undefined })} />
        )}
      </div>
      {timeline?.cut && (
        <div className="pane pb-0">
          <Notice>More happened than is shown: these are the newest. Choose a shorter time.</Notice>
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

type Sharing = { team: string; asked: Asked; more: { service?: string; kind?: string } };

/** The address of what is shown now, with its two instants: it shows the same tomorrow. */
function lasting({ team, asked, more }: Sharing): string {
  const query = new URLSearchParams({ ...spanOf(asked), ...(more.service ? { service: more.service } : {}), ...(more.kind ? { kind: more.kind } : {}) });
  return `${window.location.origin}${timelinePath(team)}?${query}`;
}

function useCopyLink(sharing: Sharing): () => void {
  const toast = useToast();
  return () => void copyText(lasting(sharing)).then(() => toast({ text: "Link copied" }));
}

/** An instant that an address names; undefined where it is none. */
const instant = (at: string | undefined) => (at && !Number.isNaN(Date.parse(at)) ? new Date(at).toISOString() : undefined);

const iso = (field: string) => (field ? new Date(field).toISOString() : undefined);

/** An instant as the field for it wants: the reader's clock, to the minute. */
function local(at: string | undefined): string {
  const date = new Date(at ?? "");
  return Number.isNaN(date.getTime()) ? "" : new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
