import { Link } from "@tanstack/react-router";
import { type ReactNode, useContext, useEffect } from "react";
import { createPortal } from "react-dom";
import { Icon, type IconType } from "../Icon";
import type { Status } from "../status";
import { StatusGlyph } from "../StatusGlyph";
import { FrameStateContext, useFrame } from "./context";

/** Fills the context column of the frame while it is mounted; `foot` is one line at its bottom. */
export function ContextList({ children, foot }: { children: ReactNode; foot?: ReactNode }) {
  const { claimContext } = useFrame();
  const { contextSlot } = useContext(FrameStateContext);
  useEffect(claimContext, [claimContext]);
  if (!contextSlot) return null;
  return createPortal(
    <>
      {children}
      {foot && <div className="foot meta">{foot}</div>}
    </>,
    contextSlot,
  );
}

type GroupProps = { title: string; /** Where the members of the group stand alone. */ to?: string; search?: Record<string, unknown>; children: ReactNode };

export function ContextGroup({ title, to, search, children }: GroupProps) {
  return (
    <section className="group">
      <h2 className="micro">
        {to ? (
          <Link to={to} search={search as never} activeOptions={{ exact: true, includeSearch: true }}>
            {title}
          </Link>
        ) : (
          title
        )}
      </h2>
      {children}
    </section>
  );
}

type ItemProps = {
  to: string;
  search?: Record<string, unknown>;
  label: string;
  icon?: IconType;
  status?: Status;
  /** A count, or a run strip, at the right edge. */
  end?: ReactNode;
  /** Current also on pages below this path. */
  deep?: boolean;
};

export function ContextItem({ to, search, label, icon, status, end, deep }: ItemProps) {
  return (
    <Link className="item" to={to} search={search as never} activeOptions={{ exact: !deep, includeSearch: Boolean(search) }}>
      {status && <StatusGlyph status={status} label={status} />}
      {icon && <Icon of={icon} size="s" />}
      <span className="clip">{label}</span>
      {typeof end === "string" || typeof end === "number" ? <span className="n">{end}</span> : end}
    </Link>
  );
}
