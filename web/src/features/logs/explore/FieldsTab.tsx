import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Minus, Plus } from "lucide-react";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { IconButton } from "@/ui/Button";
import { Drawer } from "@/ui/Drawer";
import { ErrorState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { fieldQuery, type Histogram, type Name, namesQuery } from "../queries";
import { term } from "./terms";
import type { Explore } from "./useExplore";

/** Every name that lines of the search have, and figures of one. */
export function FieldsTab({ explore, histogram }: { explore: Explore; histogram?: Histogram }) {
  const { search, set } = explore;
  const { data, error, refetch } = useQuery({ ...namesQuery(explore.asked), placeholderData: keepPreviousData });
  if (error) {
    const problem = asProblem(error);
    return <ErrorState what="The fields cannot be listed" why={problem.message} requestId={problem.requestId} onRetry={() => void refetch()} />;
  }
  const total = histogram?.total ?? 0;
  const open = (name: string) => set({ field: name });
  const columns: Column<Name>[] = [
    {
      key: "name",
      head: "Name",
      lead: true,
      sort: (a, b) => a.name.localeCompare(b.name),
      cell: ({ name }) => (
        <button type="button" className="mono title" aria-expanded={search.field === name} onClick={() => open(name)}>
          {name}
        </button>
      ),
    },
    { key: "kind", head: "Kind", width: 120, cell: ({ kind, label }) => <span className="muted">{label ? "label" : kind}</span> },
    { key: "lines", head: "Lines", width: 120, number: true, cell: ({ lines }) => count(lines), sort: (a, b) => a.lines - b.lines },
    {
      key: "share",
      head: "Share of lines",
      width: 200,
      end: true,
      cell: ({ lines }) => (total > 0 ? <Share part={Math.min(1, lines / total)} /> : ""),
    },
  ];
  return (
    <div className="logs-tab">
      <Table label="Fields" columns={columns} rows={data?.names} rowKey={({ name }) => name} onOpen={({ name }) => open(name)} keyboard />
      <Drawer open={Boolean(search.field)} onClose={() => set({ field: undefined })} title={<span className="mono">{search.field}</span>}>
        {search.field && <Figures name={search.field} explore={explore} total={total} />}
      </Drawer>
    </div>
  );
}

function Share({ part }: { part: number }) {
  return (
    <span className="logs-share">
      <i style={{ width: `${part * 100}%` }} />
      <span className="num">{Math.round(part * 100)} %</span>
    </span>
  );
}

const figure = (value: number) => value.toLocaleString("en-US", { maximumFractionDigits: 3 });

function Figures({ name, explore, total }: { name: string; explore: Explore; total: number }) {
  const { data, error, refetch } = useQuery(fieldQuery(explore.asked, name));
  if (error) return <ErrorState what="This field cannot be counted" why={asProblem(error).message} onRetry={() => void refetch()} />;
  if (!data) return <section className="muted">Counting</section>;
  const { numbers } = data;
  return (
    <>
      <section>
        <dl className="facts">
          <dt>In</dt>
          <dd>
            {plural(data.lines, "line")}
            {total > 0 && ` of ${count(total)}`}
          </dd>
          <dt>Distinct values</dt>
          <dd>
            {data.more ? "more than " : ""}
            {count(data.distinct)}
          </dd>
          {numbers &&
            (["min", "p50", "avg", "p95", "max"] as const).map((key) => [
              <dt key={`t${key}`}>{{ min: "Least", p50: "Median", avg: "Mean", p95: "95th percentile", max: "Most" }[key]}</dt>,
              <dd key={key} className="figures">
                {figure(numbers[key])}
              </dd>,
            ])}
        </dl>
      </section>
      <section>
        <h3 className="micro">Most frequent values</h3>
        <ol className="logs-values">
          {data.values.map(({ value, lines }) => (
            <li key={value}>
              <i style={{ width: `${(lines / Math.max(1, data.lines)) * 100}%` }} />
              <span className="mono clip" title={value}>
                {value || '""'}
              </span>
              <span className="meta num push">{count(lines)}</span>
              <IconButton icon={Plus} size="small" label={`Only ${name} ${value}`} onClick={() => explore.narrow(term(name, value))} />
              <IconButton icon={Minus} size="small" label={`Without ${name} ${value}`} onClick={() => explore.narrow(`-${term(name, value)}`)} />
            </li>
          ))}
        </ol>
      </section>
    </>
  );
}
