import { keepPreviousData, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { RotateCw, Send } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Input, Select } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { SkeletonRows } from "@/ui/Skeleton";
import { EmptyState, ErrorState } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useNow } from "@/ui/useNow";
import { useUrlState } from "@/ui/useUrlState";
import { MessageParts } from "./MessageParts";
import { NotificationsFrame } from "./NotificationsFrame";
import { channelsPath } from "./paths";
import { channelsQuery, type Message, type MessageState, messagesQuery, type Search } from "./queries";
import { historySearch } from "./search";
import { capabilityWord, clock, fate, kindWord } from "./words";

const pageLength = 50;
const states: [MessageState, string][] = [
  ["failed", "Failed"],
  ["held", "Held"],
  ["waiting", "On their way"],
  ["sent", "Sent"],
  ["grouped", "Told with others"],
];

/** Every message with where it went and how it fared; what failed is sent once more from here. */
export function HistoryPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const channels = useSuspenseQuery(channelsQuery(team)).data.items;
  const [search, setSearch] = useUrlState(historySearch);
  const [open, setOpen] = useState<Message>();
  const { data: page, error } = useQuery({ ...messagesQuery(team, search), placeholderData: keepPreviousData });
  const now = useNow(true, 30);
  const refused = refusal(useSession(), team, "member");
  const { retry, retryAll } = useRetries(team, search);
  const items = page?.items ?? [];
  const counts = page?.counts ?? {};
  const failed = counts.failed ?? 0;
  const narrowed = Boolean(search.channel || search.rule || search.capability || search.state || search.q);
  return (
    <NotificationsFrame
      team={team}
      title="History"
      meta={page && [failed > 0 && `${failed} failed`, (counts.held ?? 0) > 0 && `${counts.held} held`].filter(Boolean).join(", ")}
      actions={
        failed > 0 && (
          <Button icon={RotateCw} refused={refused} busy={retryAll.busy} onClick={() => void retryAll.start()}>
            {narrowed && search.state !== "failed" ? "Retry what failed here" : "Retry all failed"}
          </Button>
        )
      }
    >
      <div className="toolbar flex-wrap">
        <Input compact className="notify-filter" type="search" aria-label="Filter messages" placeholder="Title, channel or error" value={search.q ?? ""} onChange={({ target: { value } }) => setSearch({ q: value || undefined, before: undefined })} />
        <Select compact aria-label="State" value={search.state ?? ""} options={[{ value: "", label: "Every state" }, ...states.map(([value, word]) => ({ value, label: counts[value] ? `${word} (${counts[value]})` : word }))]} onValue={(value) => setSearch({ state: (value || undefined) as MessageState | undefined, before: undefined })} />
        <Select compact aria-label="Channel" value={search.channel ?? ""} options={[{ value: "", label: "Every channel" }, ...channels.map(({ id, name }) => ({ value: id, label: name }))]} onValue={(value) => setSearch({ channel: value || undefined, before: undefined })} />
        <Select compact aria-label="Capability" value={search.capability ?? ""} options={[{ value: "", label: "Every capability" }, ...["ci", "issues", "logs", "edge", "system"].map((word) => ({ value: word, label: capabilityWord(word) }))]} onValue={(value) => setSearch({ capability: value || undefined, before: undefined })} />
        {search.rule && (
          <Button size="small" onClick={() => setSearch({ rule: undefined, before: undefined })}>
            Of every rule
          </Button>
        )}
      </div>
      {error ? (
        <ErrorState what={asProblem(error).title} why={asProblem(error).detail} />
      ) : !page ? (
        <SkeletonRows />
      ) : items.length === 0 ? (
        <Nothing team={team} narrowed={narrowed || Boolean(search.before)} onAll={() => setSearch({ channel: undefined, rule: undefined, capability: undefined, state: undefined, q: undefined, before: undefined })} channels={channels.length} />
      ) : (
        <>
          <Table label="Messages" rows={items} rowKey={({ id }) => String(id)} columns={columns(now, refused, (message) => void retry.start(message))} onOpen={setOpen} keyboard />
          {(search.before || items.length >= pageLength) && (
            <div className="pane line">
              {search.before && <Button onClick={() => setSearch({ before: undefined }, { push: true })}>Newest</Button>}
              {items.length >= pageLength && <Button onClick={() => setSearch({ before: items.at(-1)?.id }, { push: true })}>Older</Button>}
            </div>
          )}
        </>
      )}
      <MessageParts team={team} message={open} now={now} onClose={() => setOpen(undefined)} />
    </NotificationsFrame>
  );
}

function useRetries(team: string, { channel, rule, capability, q }: Search) {
  const client = useQueryClient();
  const toast = useToast();
  const refresh = () => void client.invalidateQueries({ queryKey: ["notifications"] });
  const retry = useTask({
    run: (message: Message) => data(api.POST("/api/v1/accounts/teams/{team}/notifications/messages/{id}/retry", { params: { path: { team, id: message.id } } })),
    failed: "It is not sent.",
    onDone: (_, message) => {
      toast({ text: `${message.channel_name} is told ${message.state === "held" ? "now" : "once more"}` });
      refresh();
    },
  });
  const retryAll = useTask({
    run: () => data(api.POST("/api/v1/accounts/teams/{team}/notifications/messages/retry", { params: { path: { team } }, body: { ...(channel ? { channel } : {}), ...(rule ? { rule } : {}), ...(capability ? { capability } : {}), ...(q ? { q } : {}) } })),
    failed: "Nothing is sent.",
    onDone: ({ retried }) => {
      toast({ text: retried === 0 ? "Nothing of this could be sent: are its channels switched on?" : `${plural(retried, "message")} on the way once more` });
      refresh();
    },
  });
  return { retry, retryAll };
}

function Nothing({ team, narrowed, channels, onAll }: { team: string; narrowed: boolean; channels: number; onAll: () => void }) {
  if (narrowed) {
    return (
      <EmptyState small headline="No message like that" actions={<Button onClick={onAll}>Show all</Button>}>
        The last 500 of each channel are remembered, for 90 days.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      headline="Nothing was sent yet"
      waiting={channels > 0 ? "Waiting for the first message" : undefined}
      actions={
        <Link className="btn" to={channelsPath(team)}>
          {channels > 0 ? "Send a test from a channel" : "Make a channel"}
        </Link>
      }
    >
      Every message stands here with its channel, its rule and how it fared: sent, held until the quiet hours end, told with others, or failed with the reason, which can be sent once more.
    </EmptyState>
  );
}

function columns(now: number, refused: string | false, onRetry: (message: Message) => void): Column<Message>[] {
  return [
    {
      key: "title",
      head: "Message",
      lead: true,
      cell: (message) => (
        <span className="notify-lines">
          <span className="title">{message.title}</span>
          {message.error && <span className={message.state === "failed" ? "meta notify-bad" : "meta"}>{message.error}</span>}
        </span>
      ),
    },
    { key: "of", head: "Of", width: 96, cell: ({ capability }) => (capability ? capabilityWord(capability) : <span className="muted">test</span>) },
    {
      key: "channel",
      head: "Channel",
      width: "18%",
      cell: ({ channel_name: name, channel_kind: kind }) => (
        <span className="notify-places">
          <span>
            <span>{name}</span> <span className="meta">{kindWord(kind)}</span>
          </span>
        </span>
      ),
    },
    {
      key: "state",
      head: "Stands",
      width: 210,
      cell: (message) => (
        <span className="notify-lines">
          <Status {...fate(message)} />
          {message.held_until && <span className="meta">until {clock(message.held_until, now)}</span>}
          {message.state === "sent" && message.more ? <span className="meta">tells of {message.more}</span> : null}
        </span>
      ),
    },
    { key: "at", head: "When", width: 104, cell: (message) => <RelativeTime at={message.ended_at ?? message.created_at} /> },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 112,
      end: true,
      cell: (message) =>
        (message.state === "failed" || message.state === "held") && (
          <Button size="small" icon={message.state === "held" ? Send : RotateCw} refused={refused} aria-label={`${message.state === "held" ? "Send now" : "Retry"}: ${message.title}`} onClick={() => onRetry(message)}>
            {message.state === "held" ? "Send now" : "Retry"}
          </Button>
        ),
    },
  ];
}
