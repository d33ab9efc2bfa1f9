import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Minus, Plus } from "lucide-react";
import { Fragment } from "react";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { IconButton } from "@/ui/Button";
import { Drawer } from "@/ui/Drawer";
import { ErrorState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { type FieldNumbers, fieldQuery, type Histogram, type Name, namesQuery, percentilesQuery } from "../queries";
import { NoLines } from "./NoLines";
import { hasPipe, named, term } from "./terms";
import type { Explore } from "./useExplore";

/** Every name that lines of the search have, and figures of one. */
export function FieldsTab({ explore, histogram }: { explore: Explore; histogram?: Histogram }) {
  const { search, set } = explore;
  const { data, error, refetch } = useQuery({ ...namesQuery(explore.asked), placeholderData: keepPreviousData });
  if (error) {
    const problem = asProblem(error);
    return <ErrorState what="The fields cannot be listed" why={problem.message} requestId={problem.requestId} onRetry={() => void refetch()} />;
  }
  if (data?.names.length === 0) return <NoLines explore={explore} />;
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

const percentiles = ["p90", "p99"] as const;

/** The numbers of a field, the least first. */
function figuresOf(numbers: FieldNumbers | undefined, further: Record<string, number> | undefined): [string, number][] {
  if (!numbers) return [];
  const all: [string, number | undefined][] = [
    ["Least", numbers.min],
    ["Median", numbers.p50],
    ["Mean", numbers.avg],
    ["90th percentile", further?.p90],
    ["95th percentile", numbers.p95],
    ["99th percentile", further?.p99],
    ["Most", numbers.max],
  ];
  return all.filter((one): one is [string, number] => Number.isFinite(one[1]));
}

const figure = (value: number) => value.toLocaleString("en-US", { maximumFractionDigits: 3 });

function Figures({ name, explore, total }: { name: string; explore: Explore; total: number }) {
  const { data, error, refetch } = useQuery(fieldQuery(explore.asked, name));
  const further = useQuery({ ...percentilesQuery(explore.asked, named(name), explore.query || "*", percentiles), enabled: Boolean(data?.numbers) && !hasPipe(explore.query) }).data;
  if (error) return <ErrorState what="This field cannot be counted" why={asProblem(error).message} onRetry={() => void refetch()} />;
  if (!data) return <section className="muted">Counting</section>;
  const numbers = figuresOf(data.numbers, further);
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
          {numbers.map(([said, value]) => (
            <Fragment key={said}>
              <dt>{said}</dt>
              <dd className="figures">{figure(value)}</dd>
            </Fragment>
          ))}
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
