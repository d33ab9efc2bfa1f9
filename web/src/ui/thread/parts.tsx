import "./thread.css";
import type { ReactNode } from "react";
import { count, plural } from "@/format/bytes";
import { Chip } from "../facts";
import { RelativeTime } from "../RelativeTime";
import { StatusGlyph } from "../StatusGlyph";
import type { Status } from "../status";
import { PathLink } from "./PathLink";

type Build = { id: number; title: string; status: string; at: string; path: string };
type Line = { time: string; level: string; service: string; message: string };
type Lines = { about: string; total: number; items: Line[]; path: string; partial?: string };
type NodeRef = { id: string; name: string; path: string };
type Version = { version: string; nodes: number; sites: string[]; some: NodeRef[]; runs: boolean; path: string };
type Nodes = { package: string; total: number; running: number; versions: Version[]; path: string };

const shown: Record<string, Status> = { started: "running" };

/** Builds, the newest first, each with its state and its page. */
export function BuildList({ builds, label }: { builds: Build[]; label: string }) {
  return (
    <ul className="thread-list" aria-label={label}>
      {builds.map(({ id, title, status, at, path }) => (
        <li key={id}>
          <StatusGlyph status={shown[status] ?? (status as Status)} />
          <PathLink className="link clip" path={path}>
            {title}
          </PathLink>
          <span className="meta push">
            <RelativeTime at={at} />
          </span>
        </li>
      ))}
    </ul>
  );
}

const clock = (at: string) => new Date(at).toISOString().slice(11, 23);

/** How many lines there are, the way to all of them, and a few. Times are UTC, as in the log. */
export function LineQuote({ lines, children }: { lines: Lines; children?: ReactNode }) {
  return (
    <div className="thread-lines">
      <p className="line">
        <PathLink path={lines.path}>{plural(lines.total, "line")}</PathLink>
        <span className="meta min-w-0">{lines.about}</span>
        {children}
      </p>
      {lines.partial && <p className="meta">{lines.partial}</p>}
      {lines.items.length > 0 && (
        <ol className="quote" aria-label={lines.about}>
          {lines.items.map(({ time, level, service, message }, at) => (
            <li key={`${time} ${at}`} className={level}>
              <span className="at">{clock(time)}</span> {service && <span className="of">{`${service} `}</span>}
              {message}
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** Which version of a package is on how many nodes; the release that is asked about is marked. */
export function VersionList({ nodes, release }: { nodes: Nodes; release?: string }) {
  if (nodes.total === 0) {
    return <p className="meta">No node has the package {nodes.package}.</p>;
  }
  return (
    <ul className="thread-list" aria-label={`Versions of ${nodes.package}`}>
      {nodes.versions.slice(0, 8).map(({ version, nodes: many, sites, some, runs, path }) => (
        <li key={version}>
          <code className="clip">{version}</code>
          {runs && <Chip kind="new">{release ? "this release" : "runs"}</Chip>}
          <span className="meta clip" title={sites.join(", ")}>
            {many <= some.length ? (
              some.map(({ id, name, path: page }) => (
                <PathLink key={id} className="link mr-2" path={page}>
                  {name}
                </PathLink>
              ))
            ) : (
              <>
                {sites.slice(0, 3).join(", ")}
                {sites.length > 3 && ` and ${count(sites.length - 3)} more`}
              </>
            )}
          </span>
          <span className="push">
            <PathLink path={path}>{plural(many, "node")}</PathLink>
          </span>
        </li>
      ))}
      {nodes.versions.length > 8 && (
        <li>
          <PathLink path={nodes.path}>{plural(nodes.versions.length - 8, "more version")}</PathLink>
        </li>
      )}
    </ul>
  );
}

/** One step of a thread: its name at the left, what is there at the right. */
export function ThreadStep({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="thread-step">
      <dt className="micro">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}
