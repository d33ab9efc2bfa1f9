import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { classes } from "./classes";
import { isPressable } from "./frame/keyboard";
import { useActions } from "./frame/hooks";
import { Icon } from "./Icon";
import { Skeleton } from "./Skeleton";
import { useGrowing } from "./useGrowing";

export type Column<T> = {
  key: string;
  head: ReactNode;
  cell: (row: T) => ReactNode;
  width?: number | string;
  /** Right-aligned figures. */
  number?: boolean;
  /** The title of the row: the first line of its card on phones. */
  lead?: boolean;
  /** At the right edge, on phones too: strips and buttons. */
  end?: boolean;
  sort?: (a: T, b: T) => number;
  /** Said before the value on phones, where the cards have no heads. */
  said?: string;
};

export type Sort = { key: string; down: boolean };

type Props<T> = {
  label: string;
  columns: Column<T>[];
  rows: T[] | undefined;
  rowKey: (row: T) => string;
  /** Enter, or a press on the row. Give the row a link in its lead cell as well. */
  onOpen?: (row: T) => void;
  /** x marks rows; the page shows what can be done with them. */
  selected?: ReadonlySet<string>;
  onSelect?: (selected: Set<string>) => void;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  compact?: boolean;
  /** j, k, Enter and x act on this table: the main one of the page. */
  keyboard?: boolean;
};

const step = 200;

/** Rows of 32 px with sortable heads; two-line cards on phones. `rows` undefined means the first load. */
export function Table<T>(props: Props<T>) {
  const { columns, rows, rowKey, selected, compact, label, keyboard = false } = props;
  const [ownSort, setOwnSort] = useState<Sort | undefined>();
  const sort = props.sort ?? ownSort;
  const setSort = props.onSort ?? setOwnSort;
  const shown = useMemo(() => sorted(rows ?? [], columns, sort), [rows, columns, sort]);
  const body = useRef<HTMLTableSectionElement>(null);
  const current = useRowKeys(shown, props, keyboard);
  const { limit, end } = useGrowing(step);
  const drawn = shown.slice(0, Math.max(limit, current + step));

  useEffect(() => {
    body.current?.children[current]?.scrollIntoView?.({ block: "nearest" });
  }, [current]);

  return (
    <table className={classes("table cards", compact && "compact")} aria-label={label} aria-busy={rows === undefined || undefined} aria-rowcount={drawn.length < shown.length ? shown.length + 1 : undefined}>
      <colgroup>
        {columns.map((column) => (
          <col key={column.key} style={column.width === undefined ? undefined : { width: column.width }} />
        ))}
      </colgroup>
      <thead>
        <tr>
          {columns.map((column) => (
            <Head key={column.key} column={column} sort={sort} onSort={setSort} />
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {rows === undefined && <Loading columns={columns} />}
        {drawn.map((row, at) => {
          const key = rowKey(row);
          const isSelected = selected?.has(key) ?? false;
          return (
            <tr
              key={key}
              className={classes(isSelected && "is-selected", keyboard && at === current && "is-current")}
              data-openable={props.onOpen ? true : undefined}
              onClick={props.onOpen && ((event) => !isPressable(event.target) && props.onOpen?.(row))}
            >
              {columns.map((column) => (
                <td key={column.key} className={classes(column.number && "num", column.lead && "lead", column.end && "end")} data-said={column.said}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          );
        })}
        {drawn.length < shown.length && (
          <tr ref={end} key={drawn.length} aria-hidden="true">
            <td colSpan={columns.length} />
          </tr>
        )}
      </tbody>
    </table>
  );
}

function sorted<T>(rows: T[], columns: Column<T>[], sort?: Sort): T[] {
  const compare = columns.find((column) => column.key === sort?.key)?.sort;
  if (!compare) return rows;
  return rows.toSorted((a, b) => (sort?.down ? compare(b, a) : compare(a, b)));
}

/** Moves the mark with j and k. Returns where it is; -1 until somebody moved. */
function useRowKeys<T>(shown: T[], { rowKey, onOpen, selected, onSelect }: Props<T>, keyboard: boolean): number {
  const [at, setAt] = useState(-1);
  const current = Math.min(at, shown.length - 1);
  const row = shown[current];
  const move = (by: number) => setAt(Math.max(0, Math.min(shown.length - 1, current + by)));
  const group = "Lists";
  const actions = [
    { id: "table.next", label: "Next row", group, keys: "j", hidden: true, run: () => move(1) },
    { id: "table.previous", label: "Previous row", group, keys: "k", hidden: true, run: () => move(-1) },
  ];
  if (onOpen) actions.push({ id: "table.open", label: "Open the row", group, keys: "Enter", hidden: true, run: () => row && onOpen(row) });
  if (onSelect) {
    const toggle = () => {
      if (!row) return;
      const next = new Set(selected);
      if (!next.delete(rowKey(row))) next.add(rowKey(row));
      onSelect(next);
    };
    actions.push({ id: "table.select", label: "Mark the row", group, keys: "x", hidden: true, run: toggle });
  }
  useActions(keyboard ? actions : []);
  return current;
}

function Head<T>({ column, sort, onSort }: { column: Column<T>; sort?: Sort; onSort: (sort: Sort) => void }) {
  const active = sort?.key === column.key;
  const down = active && sort.down;
  return (
    <th
      scope="col"
      className={column.number || column.end ? "num" : undefined}
      aria-sort={active ? (down ? "descending" : "ascending") : undefined}
    >
      {column.sort ? (
        <button type="button" onClick={() => onSort({ key: column.key, down: active && !down })}>
          {column.head}
          {active && <Icon of={down ? ArrowDown : ArrowUp} size="s" />}
        </button>
      ) : (
        column.head
      )}
    </th>
  );
}

function Loading<T>({ columns }: { columns: Column<T>[] }) {
  return Array.from({ length: 6 }, (_, row) => (
    <tr key={row} aria-hidden="true">
      {columns.map((column, at) => (
        <td key={column.key} className={classes(column.lead && "lead")}>
          <Skeleton width={at === 0 ? 120 + ((row * 37) % 60) : 48} />
        </td>
      ))}
    </tr>
  ));
}
