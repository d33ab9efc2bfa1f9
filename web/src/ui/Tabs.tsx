import { Link } from "@tanstack/react-router";

export type Tab = {
  label: string;
  /** Full path; `search` when tabs differ only in the query. */
  to: string;
  search?: Record<string, unknown>;
  count?: number | string;
  /** Current also on pages below this path. */
  deep?: boolean;
};

/** Tabs of a page are links: each has its URL. They stand on the hairline of the header. */
export function Tabs({ label, items }: { label: string; items: Tab[] }) {
  return (
    <nav className="tabs" aria-label={label}>
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
