import { Link } from "@tanstack/react-router";
import { Download } from "lucide-react";
import type { ReactNode } from "react";
import { bytes, plural } from "@/format/bytes";
import { Copyable } from "@/ui/CopyButton";
import { Facts } from "@/ui/facts";
import { Icon } from "@/ui/Icon";
import { RelativeTime } from "@/ui/RelativeTime";
import { withTerm } from "../list/tokens";
import { issuesPath } from "../paths";
import { attachmentUrl, type Event, type Feedback, type IssueEvent, type Pair } from "../queries";
import { shortValue } from "./frames";

function Part({ title, meta, children }: { title: string; meta?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
        {meta && <span className="meta clip">{meta}</span>}
      </div>
      {children}
    </section>
  );
}

const value = (raw: unknown) => <span className="mono issues-value">{shortValue(raw, 2000)}</span>;
const pairs = (list: Pair[] | undefined): [string, ReactNode][] => (list ?? []).map((pair) => [pair.key, value(pair.value)]);
const entries = (record: Record<string, unknown> | undefined): [string, ReactNode][] => Object.entries(record ?? {}).filter(([name]) => name !== "type").map(([name, one]) => [name, value(one)]);

/** What else the client knew: request, user, contexts, files. */
export function Details({ team, found }: { team: string; found: IssueEvent }) {
  const { event, attachments, feedback } = found;
  return (
    <>
      <RequestPart request={event.request} />
      <UserPart user={event.user} />
      {feedback.length > 0 && (
        <Part title="What users wrote" meta={plural(feedback.length, "report")}>
          <FeedbackList feedback={feedback} />
        </Part>
      )}
      {attachments.length > 0 && (
        <Part title="Attachments">
          <ul className="issues-files">
            {attachments.map(({ id, name, size, content_type: type }) => (
              <li key={id}>
                <a className="link line" href={attachmentUrl(id)} download={name}>
                  <Icon of={Download} size="s" />
                  {name}
                </a>
                <span className="meta">
                  {bytes(size)}, {type || "unknown kind"}
                </span>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {found.tags.length > 0 && (
        <Part title="Tags">
          <div className="issues-tags">
            {found.tags.map(({ key, value: tag }) => (
              <Link key={key} className="chip" to={issuesPath(team)} search={{ query: withTerm("is:unresolved", key, tag) } as never} title={`Issues with ${key} ${tag}`}>
                <span className="muted">{key}</span> {tag}
              </Link>
            ))}
          </div>
        </Part>
      )}
      <ContextParts event={event} />
    </>
  );
}

function RequestPart({ request }: { request: Event["request"] }) {
  if (!request) return null;
  const rows = [...pairs(request.query), ...pairs(request.headers), ...pairs(request.cookies), ...entries(request.env)];
  return (
    <Part title="Request" meta={<code>{[request.method, request.url].filter(Boolean).join(" ")}</code>}>
      {request.data !== undefined && request.data !== null && <p className="quote mb-2">{shortValue(request.data, 4000)}</p>}
      <Facts items={rows} />
    </Part>
  );
}

function UserPart({ user }: { user: Event["user"] }) {
  if (!user) return null;
  const { geo, data, ...plain } = user;
  const rows = [...entries(plain), ...entries(geo), ...entries(data)].filter(([, shown]) => shown !== "");
  if (rows.length === 0) return null;
  return (
    <Part title="User">
      <Facts items={rows} />
    </Part>
  );
}

function ContextParts({ event }: { event: Event }) {
  const contexts = Object.entries(event.contexts ?? {}).filter(([, fields]) => fields && Object.keys(fields).length > 0);
  const facts: [ReactNode, ReactNode][] = [
    ["Event", <Copyable key="id" text={event.event_id} />],
    ...(event.trace_id ? ([["Trace", <Copyable key="trace" text={event.trace_id} />]] as [ReactNode, ReactNode][]) : []),
    ["Received", <RelativeTime key="at" at={event.received} />],
    ["Release", event.release || undefined],
    ["Environment", event.environment || undefined],
    ["Transaction", event.transaction || undefined],
    ["Server", event.server_name || undefined],
    ["SDK", event.sdk?.name ? `${event.sdk.name} ${event.sdk.version ?? ""}` : undefined],
  ];
  return (
    <>
      <Part title="Event">
        <Facts items={facts.filter(([, shown]) => shown !== undefined)} />
      </Part>
      {contexts.length > 0 && (
        <Part title="Contexts">
          <div className="issues-contexts">
            {contexts.map(([name, fields]) => (
              <div key={name}>
                <h3>{name}</h3>
                <Facts items={entries(fields)} />
              </div>
            ))}
          </div>
        </Part>
      )}
      {Object.keys(event.extra ?? {}).length > 0 && (
        <Part title="Additional data">
          <Facts items={entries(event.extra)} />
        </Part>
      )}
      {(event.errors?.length ?? 0) > 0 && (
        <Part title="What was wrong with the event">
          <ul className="meta grid gap-1">{event.errors?.map((text) => <li key={text}>{text}</li>)}</ul>
        </Part>
      )}
    </>
  );
}

export function FeedbackList({ feedback }: { feedback: Feedback[] }) {
  return (
    <ol className="grid gap-3">
      {feedback.map(({ id, name, email, message, at }) => (
        <li key={id} className="grid gap-1">
          <span className="line">
            <b>{name || email || "Somebody"}</b>
            {email && email !== name && <span className="meta">{email}</span>}
            <span className="meta">
              <RelativeTime at={at} />
            </span>
          </span>
          <p className="quote">{message}</p>
        </li>
      ))}
    </ol>
  );
}
