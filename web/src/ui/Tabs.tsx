import { Link, useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

export type Tab = {
  label: string;
  /** Full path; `search` when tabs differ only in the query. */
  to: string;
  search?: Record<string, unknown>;
  count?: number | string;
  /** Current also on pages below this path. */
  deep?: boolean;
};

/** Tabs of a page are links: each has its URL. They stand on the hairline of the header. Where they do not fit, the current one is in view. */
export function Tabs({ label, items }: { label: string; items: Tab[] }) {
  const nav = useRef<HTMLElement>(null);
  const { pathname, searchStr } = useLocation();
  useEffect(() => {
    const row = nav.current?.parentElement;
    const current = nav.current?.querySelector("[aria-current]");
    if (!row || !current) return;
    // Not scrollIntoView: that would move the page too when the header is out of sight.
    const [outer, inner] = [row.getBoundingClientRect(), current.getBoundingClientRect()];
    row.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
  }, [pathname, searchStr]);
  return (
    <nav className="tabs" aria-label={label} ref={nav}>
      {items.map((tab) => (
        <Link
          key={tab.label}
          to={tab.to}
          search={tab.search as never}
          activeOptions={{ exact: !tab.deep, includeSearch: Boolean(tab.search) }}
        >
          {tab.label}
          {tab.count !== undefined && <span className="n">{tab.count}</span>}
        </Link>
      ))}
    </nav>
  );
}
