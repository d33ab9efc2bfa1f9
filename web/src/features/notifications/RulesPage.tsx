import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { api, done } from "@/api/client";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Input, Select, Switch } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Tooltip } from "@/ui/Tooltip";
import { EmptyState, Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { useNow } from "@/ui/useNow";
import { useUrlState } from "@/ui/useUrlState";
import { NotificationsFrame } from "./NotificationsFrame";
import { channelsPath, historyPath } from "./paths";
import { type Rule, rulesQuery } from "./queries";
import { rulesSearch } from "./search";
import { capabilityWord, clock, kindWord, ofRules, standing } from "./words";

/** The rules of every capability in one list: what each waits for, whom it tells, and how it stands. */
export function RulesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const { items, missing } = useSuspenseQuery(rulesQuery(team)).data;
  const [search, setSearch] = useUrlState(rulesSearch);
  const now = useNow(true, 30);
  const client = useQueryClient();
  const toast = useToast();
  const toggle = useTask({
    run: (rule: Rule, enabled: boolean) => done(api.PATCH("/api/v1/accounts/teams/{team}/notifications/rules/{rule}", { params: { path: { team, rule: rule.id } }, body: { enabled } })),
    failed: "The rule stays as it is.",
    onDone: (_, rule, enabled) => {
      toast({ text: `${rule.name} is ${enabled ? "on" : "off"}` });
      void client.invalidateQueries({ queryKey: ["notifications"] });
    },
  });
  const words = [...new Set(items.map(({ capability }) => capability))];
  const shown = ofRules(items, search);
  const trouble = items.filter(({ enabled, problem }) => enabled && problem).length;
  return (
    <NotificationsFrame team={team} title="Rules" meta={items.length > 0 && [plural(items.length, "rule"), trouble > 0 && `${trouble} in trouble`].filter(Boolean).join(", ")}>
      {missing.length > 0 && (
        <div className="pane pb-0">
          <Notice kind="warn">{missing.map(capabilityWord).join(" and ")} did not answer, so their rules are missing here.</Notice>
        </div>
      )}
      {items.length === 0 ? (
        <EmptyState
          headline="No rule tells anybody anything"
          actions={
            <Link className="btn primary" to={channelsPath(team)}>
              Make a channel
            </Link>
          }
        >
          What channels ask for stands here, and so do alerts about errors and log lines, rules about GitHub&apos;s events, and digests. Begin with a channel, then write alerts where the errors and the lines are.
        </EmptyState>
      ) : (
        <>
          <div className="toolbar flex-wrap">
            <Input compact className="notify-filter" type="search" aria-label="Filter rules" placeholder="Name, sentence or place" value={search.q ?? ""} onChange={({ target: { value } }) => setSearch({ q: value || undefined })} />
            <Select compact aria-label="Capability" value={search.capability ?? ""} options={[{ value: "", label: "Every capability" }, ...words.map((word) => ({ value: word, label: capabilityWord(word) }))]} onValue={(value) => setSearch({ capability: value || undefined })} />
            {shown.length < items.length && <span className="meta">{`${shown.length} of ${items.length}`}</span>}
          </div>
          {shown.length === 0 ? (
            <EmptyState small headline="No rule says that" actions={<Button onClick={() => setSearch({ q: undefined, capability: undefined })}>Show all</Button>}>
              The filter looks at names, sentences and places.
            </EmptyState>
          ) : (
            <Table label="Rules" rows={shown} rowKey={({ id }) => id} columns={columns(team, now, (rule, on) => void toggle.start(rule, on))} keyboard />
          )}
        </>
      )}
    </NotificationsFrame>
  );
}

function columns(team: string, now: number, onToggle: (rule: Rule, on: boolean) => void): Column<Rule>[] {
  return [
    {
      key: "rule",
      head: "Rule",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: (rule) => (
        <span className="notify-lines">
          <Link className="title" to={rule.path}>
            {rule.name}
          </Link>
          {rule.watches !== `When ${rule.name[0]?.toLowerCase()}${rule.name.slice(1)}` && <span className="meta">{rule.watches}{rule.often ? `, ${rule.often}` : ""}</span>}
          {rule.enabled && rule.problem && <span className="meta notify-bad">{rule.problem}</span>}
        </span>
      ),
    },
    { key: "of", head: "Of", width: 96, sort: (a, b) => a.capability.localeCompare(b.capability), cell: ({ capability }) => capabilityWord(capability) },
    { key: "to", head: "Tells", width: "24%", cell: (rule) => <Places rule={rule} /> },
    {
      key: "state",
      head: "Stands",
      width: 140,
      cell: (rule) => (
        <span className="notify-lines">
          <Status {...standing(rule, now)} />
          {rule.held > 0 && rule.held_until && <span className="meta">until {clock(rule.held_until, now)}</span>}
          {rule.muted_until && new Date(rule.muted_until).getTime() > now && <span className="meta">until {clock(rule.muted_until, now)}</span>}
        </span>
      ),
    },
    {
      key: "fired",
      head: "Told last",
      said: "told",
      width: 110,
      sort: (a, b) => (a.fired_at ?? "").localeCompare(b.fired_at ?? ""),
      cell: (rule) =>
        rule.fired_at ? (
          <Link className="link" to={historyPath(team)} search={{ rule: rule.id } as never} aria-label={`What ${rule.name} told`}>
            <RelativeTime at={rule.fired_at} />
          </Link>
        ) : (
          <span className="muted">never</span>
        ),
    },
    { key: "on", head: "On", width: 96, end: true, cell: (rule) => <OnOff rule={rule} onToggle={onToggle} /> },
  ];
}

function OnOff({ rule, onToggle }: { rule: Rule; onToggle: (rule: Rule, on: boolean) => void }) {
  const control = <Switch on={rule.enabled} label={rule.enabled ? "on" : "off"} name={`${rule.name} is on`} disabled={rule.fixed} onChange={(on) => onToggle(rule, on)} />;
  return rule.fixed && rule.why ? <Tooltip text={rule.why}>{<span>{control}</span>}</Tooltip> : control;
}

function Places({ rule: { to } }: { rule: Rule }) {
  if (to.length === 0) return <span className="muted">nobody</span>;
  return (
    <span className="notify-places">
      {to.map((place) => (
        <span key={`${place.kind} ${place.channel ?? ""} ${place.name}`}>
          <span>{place.name}</span>
          <span className="meta">
            {kindWord(place.kind)}
            {place.only ? `, ${place.only}` : ""}
          </span>
        </span>
      ))}
    </span>
  );
}
