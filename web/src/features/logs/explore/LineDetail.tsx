import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { BarChart3, Minus, Pin, PinOff, Plus } from "lucide-react";
import { useState } from "react";
import { useSession } from "@/api/session";
import { count } from "@/format/bytes";
import { copyText } from "@/ui/clipboard";
import { useToast } from "@/ui/frame/hooks";
import { Icon, type IconType } from "@/ui/Icon";
import { logsPath } from "../paths";
import { type Line, valuesQuery } from "../queries";
import { asJSON, type Field, fieldsOf } from "./fields";
import { absolute } from "./range";
import { alike, term } from "./terms";
import type { Explore } from "./useExplore";

const traceNames = ["trace_id", "traceId", "traceid", "trace.id", "otelTraceID"];

/** Everything a line holds; each value can be included, excluded, pinned and counted. */
export function LineDetail({ line, explore }: { line: Line; explore: Explore }) {
  const [counted, setCounted] = useState<string>();
  const fields = fieldsOf(line);
  const toast = useToast();
  const trace = fields.find(({ name, value }) => traceNames.includes(name) && value);
  const errors = trace && /^[\da-f-]{16,36}$/i.test(trace.value) ? trace.value : undefined;
  const build = fields.find(({ name, value }) => ["build_id", "build.id"].includes(name) && /^\d+$/.test(value));
  const node = useEdge() ? fields.find(({ name, value }) => ["node_id", "edge.node_id"].includes(name) && value) : undefined;
  const at = Date.parse(line.time);
  const near = absolute({ from: at - 3_600_000, to: at + 3_600_000 });
  return (
    <div className={`logs-detail l-${line.level}`}>
      {line.message.length > 120 || line.message.includes("\n") ? <pre>{line.message}</pre> : null}
      {fields.length > 0 ? (
        <dl>
          {fields.map((field) => (
            <FieldLine key={`${field.label}${field.name}`} field={field} explore={explore} counted={counted === field.name} onCount={() => setCounted(counted === field.name ? undefined : field.name)} />
          ))}
        </dl>
      ) : (
        <p className="none">This line has a message and no fields.</p>
      )}
      <p className="acts">
        <button type="button" onClick={() => explore.set({ line: line.id }, { push: true })}>
          Lines around it
        </button>
        {trace && (
          <Link to={logsPath(explore.team)} search={{ q: term(trace.name, trace.value), order: "oldest", ...near } as never}>
            Trace {trace.value.slice(0, 8)}
          </Link>
        )}
        {errors && (
          <Link to={`/teams/${encodeURIComponent(explore.team)}/issues`} search={{ query: `trace:${errors}` } as never}>
            Errors of this trace
          </Link>
        )}
        {build && <Link to={`/builds/${build.value}`}>Build {build.value}</Link>}
        {node && <Link to={`/teams/${encodeURIComponent(explore.team)}/edge/nodes/${encodeURIComponent(node.value)}`}>Node {node.value.slice(0, 12)}</Link>}
        <button type="button" onClick={() => explore.ask(alike(line.message))}>
          Lines like this
        </button>
        <button type="button" onClick={() => void copyText(asJSON(line)).then((ok) => toast({ text: ok ? "The line is copied as JSON" : "The browser refused to copy", kind: ok ? undefined : "bad" }))}>
          Copy as JSON
        </button>
        <time dateTime={line.time}>{line.time}</time>
      </p>
    </div>
  );
}

/** Nodes have pages once the server has their part. */
const useEdge = () => useSession().capabilities.includes("edge");

type FieldProps = { field: Field; explore: Explore; counted: boolean; onCount: () => void };

function FieldLine({ field, explore, counted, onCount }: FieldProps) {
  const { name, value } = field;
  const pinned = explore.columns.includes(name);
  const pin = () => explore.set({ cols: (pinned ? explore.columns.filter((column) => column !== name) : [...explore.columns, name]).join(",") || undefined });
  return (
    <div>
      <dt title={field.label ? "Label of the stream" : "Field of the line"}>{name}</dt>
      <dd>
        <span className="pm">
          <Press icon={Plus} label={`Only ${name} ${value}`} onPress={() => explore.narrow(term(name, value))} />
          <Press icon={Minus} label={`Without ${name} ${value}`} onPress={() => explore.narrow(`-${term(name, value)}`)} />
          <Press icon={pinned ? PinOff : Pin} label={pinned ? `Take column ${name} away` : `Pin ${name} as a column`} onPress={pin} />
          <Press icon={BarChart3} label={`Top values of ${name}`} pressed={counted} onPress={onCount} />
        </span>
        <span className="value">{value}</span>
        {counted && <TopValues name={name} explore={explore} />}
      </dd>
    </div>
  );
}

function Press({ icon, label, pressed, onPress }: { icon: IconType; label: string; pressed?: boolean; onPress: () => void }) {
  return (
    <button type="button" aria-label={label} title={label} aria-pressed={pressed} onClick={onPress}>
      <Icon of={icon} size="s" />
    </button>
  );
}

/** The most frequent values of a field in what was searched. */
function TopValues({ name, explore }: { name: string; explore: Explore }) {
  const { data, error } = useQuery(valuesQuery(explore.asked, [name], 5));
  const facet = data?.facets[0];
  if (error) return <p className="top">The values cannot be counted.</p>;
  if (!facet) return <p className="top">Counting</p>;
  return (
    <ol className="top">
      {facet.values.map(({ value, lines }) => (
        <li key={value}>
          <button type="button" onClick={() => explore.narrow(term(name, value))}>
            {value || '""'}
          </button>
          <span>
            {count(lines)} · {Math.round((lines / Math.max(1, facet.lines)) * 100)} %
          </span>
        </li>
      ))}
    </ol>
  );
}
