import { useSuspenseQueries } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { useSession } from "@/api/session";
import { duration } from "@/format/duration";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import type { Status as StatusName } from "@/ui/status";
import { Status, StatusGlyph } from "@/ui/StatusGlyph";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { type Check, healthQuery, type Loop, loopsQuery } from "./queries";

const shown: Record<Check["status"], { status: StatusName; word: string }> = {
  ok: { status: "succeeded", word: "Fine" },
  warn: { status: "errored", word: "Look" },
  fail: { status: "failed", word: "Broken" },
};

const worst = (checks: Check[]): Check["status"] =>
  checks.some((check) => check.status === "fail") ? "fail" : checks.some((check) => check.status === "warn") ? "warn" : "ok";

/** The same checks as `signalbox doctor`, and the loops that keep the server going. */
export function HealthPage() {
  const [health, loops] = useSuspenseQueries({ queries: [healthQuery, loopsQuery] });
  const { version } = useSession();
  const { checks } = health.data;
  const state = worst(checks);
  const bad = checks.filter((check) => check.status !== "ok").length;
  usePage({ title: "System health", crumbs: [{ label: "System", to: "/admin" }, { label: "Health" }], status: state === "ok" ? undefined : shown[state].status });
  return (
    <>
      <PageHeader
        title="System health"
        status={shown[state].status}
        meta={`Signalbox ${version} · ${bad === 0 ? "all checks pass" : `${plural(bad, "check")} of ${checks.length} want attention`}`}
        actions={
          <Button icon={RotateCw} busy={health.isFetching} onClick={() => void health.refetch()}>
            Check now
          </Button>
        }
      />
      <ul className="rows" aria-label="Checks">
        {checks.map((check) => (
          <CheckRow key={check.name} check={check} />
        ))}
      </ul>
      <div className="section-head pt-4 px-(--gutter)">
        <h2>Loops</h2>
        <span className="meta">what the server does by itself</span>
      </div>
      {loops.data.items.length === 0 ? (
        <EmptyState small headline="No loops run">They start with the server.</EmptyState>
      ) : (
        <Table label="Loops" columns={loopColumns} rows={loops.data.items} rowKey={(loop) => loop.name} />
      )}
    </>
  );
}

function CheckRow({ check }: { check: Check }) {
  const { status, word } = shown[check.status];
  return (
    <li className="px-(--gutter) py-3 grid grid-cols-[minmax(0,1fr)] gap-2">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <span className="w-24">
          <Status status={status} word={word} />
        </span>
        <b className="w-48">{check.name}</b>
        <span className="muted min-w-0">{check.detail}</span>
      </div>
      {check.fix && check.status !== "ok" && (
        <p className="quote max-w-[760px]" aria-label={`Fix for ${check.name}`}>
          {check.fix}
        </p>
      )}
    </li>
  );
}

const loopColumns: Column<Loop>[] = [
  {
    key: "name",
    head: "Loop",
    lead: true,
    cell: (loop) => (
      <span className="line">
        <StatusGlyph status={loop.last_error ? "errored" : "succeeded"} label={loop.last_error ? "last run failed" : "last run succeeded"} />
        <span className="title">{loop.name}</span>
      </span>
    ),
  },
  { key: "error", head: "Last error", cell: (loop) => <span className="muted">{loop.last_error ?? "–"}</span> },
  { key: "every", head: "Every", number: true, width: 112, cell: (loop) => loop.every },
  { key: "took", head: "Took", number: true, width: 96, cell: (loop) => (loop.duration_ms === undefined ? "–" : duration(loop.duration_ms / 1000)) },
  { key: "ran", head: "Last ran", width: 112, end: true, cell: (loop) => (loop.last_run_at ? <RelativeTime at={loop.last_run_at} /> : "not yet") },
];
