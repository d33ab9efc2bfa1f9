import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Minus, Plus } from "lucide-react";
import { Fragment, useMemo } from "react";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { IconButton } from "@/ui/Button";
import { RunStrip } from "@/ui/RunStrip";
import { ErrorState, Notice } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { type Pattern, patternsQuery } from "../queries";
import { NoLines } from "./NoLines";
import { phrases } from "./terms";
import type { Explore } from "./useExplore";

/** Messages that are alike as one row, with how many and when. */
export function PatternsTab({ explore }: { explore: Explore }) {
  const { data, error, refetch } = useQuery({ ...patternsQuery(explore.asked), placeholderData: keepPreviousData });
  const total = useMemo(() => Math.max(1, data?.patterns.reduce((sum, pattern) => sum + pattern.count, 0) ?? 0), [data]);
  if (error) {
    const problem = asProblem(error);
    return <ErrorState what="The patterns cannot be told apart" why={problem.message} requestId={problem.requestId} onRetry={() => void refetch()} />;
  }
  if (data?.patterns.length === 0 && !data.stats.partial) return <NoLines explore={explore} />;
  const columns: Column<Pattern>[] = [
    { key: "count", head: "Lines", width: 84, number: true, cell: (pattern) => count(pattern.count), sort: (a, b) => a.count - b.count },
    { key: "share", head: "Share", width: 72, number: true, cell: (pattern) => share(pattern.count / total), said: "share" },
    { key: "pattern", head: "Pattern", lead: true, cell: (pattern) => <Text pattern={pattern} />, sort: (a, b) => a.pattern.localeCompare(b.pattern) },
    {
      key: "acts",
      head: <span className="sr">Search</span>,
      width: 84,
      cell: (pattern) => {
        const words = phrases(pattern.pattern);
        const none = !words && "This pattern has no fixed words.";
        return (
          <span className="line">
            <IconButton icon={Plus} size="small" label={`Only lines like ${pattern.pattern.slice(0, 60)}`} refused={none} onClick={() => explore.narrow(words)} />
            <IconButton icon={Minus} size="small" label={`Hide lines like ${pattern.pattern.slice(0, 60)}`} refused={none} onClick={() => explore.narrow(`-(${words})`)} />
          </span>
        );
      },
    },
    { key: "when", head: "When", width: 216, end: true, cell: (pattern) => <RunStrip label="over the range" bars={pattern.bars.slice(-30).map((value) => ({ status: "count", value }))} /> },
  ];
  return (
    <div className="logs-tab">
      {data?.stats.partial && <Notice kind="warn">{data.stats.partial}</Notice>}
      <Table label="Patterns" columns={columns} rows={data?.patterns} rowKey={({ pattern }) => pattern} keyboard />
      {data && data.patterns.length > 0 && <p className="pane meta">{plural(data.patterns.length, "pattern")} of the messages; what differs between their lines is shown as {"<*>"}.</p>}
    </div>
  );
}

const share = (part: number) => (part < 0.001 ? "< 0.1 %" : `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`);

function Text({ pattern }: { pattern: Pattern }) {
  return (
    <span className="mono logs-pattern" title={pattern.sample}>
      {pattern.pattern.split(/(<[^<>]*>)/).map((part, at) => (at % 2 === 1 ? <em key={at}>{part}</em> : <Fragment key={at}>{part}</Fragment>))}
    </span>
  );
}
