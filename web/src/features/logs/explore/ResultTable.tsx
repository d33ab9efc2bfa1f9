import { useMemo } from "react";
import { type Column, Table } from "@/ui/Table";
import type { Found } from "../queries";

type Row = { key: string; cells: string[] };

const isNumber = (text: string) => text !== "" && !Number.isNaN(Number(text));

/** What the pipes of a query made: figures by group. */
export function ResultTable({ found }: { found: Found }) {
  const rows = useMemo<Row[]>(() => (found.rows ?? []).map((cells, at) => ({ key: String(at), cells })), [found.rows]);
  const columns = useMemo(
    () =>
      (found.columns ?? []).map((name, at): Column<Row> => {
        const number = rows.length > 0 && rows.every(({ cells }) => isNumber(cells[at] ?? "") || cells[at] === "") && rows.some(({ cells }) => cells[at] !== "");
        return {
          key: `${at}${name}`,
          head: name,
          number,
          lead: at === 0,
          said: name,
          cell: ({ cells }) => <span className="mono">{cells[at] === "" ? "–" : number ? Number(cells[at]).toLocaleString("en-US", { maximumFractionDigits: 3 }) : cells[at]}</span>,
          sort: (a, b) => (number ? Number(a.cells[at]) - Number(b.cells[at]) : (a.cells[at] ?? "").localeCompare(b.cells[at] ?? "")),
        };
      }),
    [found.columns, rows],
  );
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls and must be reachable
    <div className="logs-table" role="region" aria-label="Figures" tabIndex={0}>
      <Table label="Figures" columns={columns} rows={rows} rowKey={({ key }) => key} compact keyboard />
      {rows.length === 0 && <p className="pane muted">No line meets the condition, so there is nothing to count.</p>}
    </div>
  );
}
