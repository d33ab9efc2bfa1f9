import { Database, Dot, Globe, MousePointerClick, SquareTerminal } from "lucide-react";
import { plural } from "@/format/bytes";
import { Input } from "@/ui/Field";
import { Icon, type IconType } from "@/ui/Icon";
import { Segmented } from "@/ui/Segmented";
import { StatusGlyph } from "@/ui/StatusGlyph";
import type { Event } from "../queries";
import { levelGlyph } from "../words";
import { beforeWords, crumbs } from "./crumbs";
import type { IssueSearch } from "./search";

const icons: [RegExp, IconType][] = [
  [/http|fetch|xhr|navigation/, Globe],
  [/click|ui|touch|input/, MousePointerClick],
  [/query|sql|redis|db|cache/, Database],
  [/console|log|process/, SquareTerminal],
];
const iconOf = (category: string) => icons.find(([pattern]) => pattern.test(category))?.[1] ?? Dot;

type Props = { event: Event; search: IssueSearch; setSearch: (change: Partial<IssueSearch>) => void };

/** What happened before the error, the newest last. */
export function Breadcrumbs({ event, search, setSearch }: Props) {
  const sent = event.breadcrumbs ?? [];
  if (sent.length === 0) return null;
  const shown = crumbs(sent, event.timestamp, search.crumbs, search.find);
  return (
    <section aria-label="Before it happened">
      <div className="section-head">
        <h2>Before it happened</h2>
        <span className="meta">{plural(sent.length, "breadcrumb")}</span>
        <span className="actions">
          <Input compact className="desk max-w-[180px]" aria-label="Search breadcrumbs" placeholder="Search" value={search.find ?? ""} onChange={(change) => setSearch({ find: change.target.value })} />
          <Segmented label="Least level" value={search.crumbs} onChange={(level) => setSearch({ crumbs: level })} options={[{ value: "all", label: "All" }, { value: "warning", label: "Warnings" }, { value: "error", label: "Errors" }]} />
        </span>
      </div>
      {shown.length === 0 && <p className="meta">No breadcrumb is like that.</p>}
      <ol className="issues-crumbs">
        {shown.map(({ crumb, before, times, text }, at) => (
          <li key={at}>
            <Icon of={iconOf(crumb.category ?? crumb.type ?? "")} size="s" />
            <span className="meta num">{beforeWords(before)}</span>
            <span className="muted clip desk">{crumb.category}</span>
            <span className="mono clip" title={text}>
              {text} {times > 1 && <span className="muted">×{times}</span>}
            </span>
            {crumb.level && crumb.level !== "info" && crumb.level !== "debug" && crumb.level !== "log" ? <StatusGlyph status={levelGlyph(crumb.level)} label={crumb.level} /> : <span />}
          </li>
        ))}
      </ol>
    </section>
  );
}
