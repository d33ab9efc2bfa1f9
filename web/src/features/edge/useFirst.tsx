import { type ReactNode, useMemo, useState } from "react";
import { count } from "@/format/bytes";
import { Button } from "@/ui/Button";

const first = 100;

/** The first of many rows, and a button for more: thousands of rows at once take a browser many seconds. */
export function useFirst<T>(rows: T[] | undefined): { shown: T[] | undefined; more: ReactNode } {
  const [limit, setLimit] = useState(first);
  const shown = useMemo(() => rows?.slice(0, limit), [rows, limit]);
  const more = rows && rows.length > limit && (
    <p className="pane line">
      <Button onClick={() => setLimit(limit * 3)}>More</Button>
      <span className="meta">
        {count(limit)} of {count(rows.length)}
      </span>
    </p>
  );
  return { shown, more };
}
