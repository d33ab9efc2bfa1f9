import type { CSSProperties } from "react";

/** One grey bar; only on the first load, never instead of old data. */
export function Skeleton({ width = "100%", height }: { width?: number | string; height?: number }) {
  const style: CSSProperties = { width, height };
  return <span className="skel block" style={style} aria-hidden="true" />;
}

/** Rows of a list that is loading for the first time, at the height the real rows will have. */
export function SkeletonRows({ rows = 8, label = "Loading" }: { rows?: number; label?: string }) {
  const widths = ["42%", "58%", "36%", "64%", "48%"];
  return (
    <div className="rows" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, at) => (
        <div key={at} className="flex items-center h-(--row) px-(--gutter)">
          <Skeleton width={widths[at % widths.length]} />
        </div>
      ))}
    </div>
  );
}
