import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { placeOf } from "./place";

type Props = { path: string; className?: string; title?: string; children: ReactNode };

/** A link to an address that the server gave, with whatever stands behind its question mark. */
export function PathLink({ path, className = "link", title, children }: Props) {
  const { to, search } = placeOf(path);
  return (
    <Link className={className} title={title} to={to} search={search as never}>
      {children}
    </Link>
  );
}
