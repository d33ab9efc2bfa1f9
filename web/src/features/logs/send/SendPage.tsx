import "../logs.css";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useSession } from "@/api/session";
import { count } from "@/format/bytes";
import { clockTime } from "@/format/time";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { oneOf, params } from "@/ui/schema";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { useUrlState } from "@/ui/useUrlState";
import { LogsContext } from "../LogsContext";
import { logsPath, sendPath } from "../paths";
import { histogramQuery } from "../queries";
import { endpoints, guides } from "./guides";
import { Intake } from "./Intake";
import { addressOf, type Guide } from "./target";
import { TokenButton } from "./TokenButton";
import { useToken } from "./useToken";

const sendSearch = params({ with: oneOf(guides.map(({ id }) => id) as [string, ...string[]]) });

/** Paste this into a shipper, and the page says when its first line came. */
export function SendPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const url = useSession().public_url;
  const [search, setSearch] = useUrlState(sendSearch);
  const token = useToken(team);
  const guide = guides.find(({ id }) => id === search.with) ?? (guides[0] as Guide);
  const blocks = guide.blocks({ url, token: token.secret, team });
  const { host } = addressOf(url);
  usePage({ title: "Send logs", crumbs: [{ label: "Logs", to: logsPath(team) }, { label: "Send logs", to: sendPath(team) }] });
  return (
    <>
      <LogsContext team={team} />
      <PageHeader title="Send logs" meta={`to ${team}; whatever your shipper speaks, it needs an address and a token`} />
      <div className="pane logs-send">
        <nav aria-label="Shippers">
          {[...new Set(guides.map(({ group }) => group))].map((group) => (
            <section key={group}>
              <h2 className="micro">{group}</h2>
              {guides
                .filter((other) => other.group === group)
                .map(({ id, name }) => (
                  <button key={id} type="button" aria-current={id === guide.id || undefined} onClick={() => setSearch({ with: id === "curl" ? undefined : id })}>
                    {name}
                  </button>
                ))}
            </section>
          ))}
        </nav>
        <div className="steps">
          <div className="line">
            <h2>{guide.name}</h2>
            {blocks.some(({ code }) => code.includes(token.secret)) && (
              <span className="push">
                <TokenButton token={token} />
              </span>
            )}
          </div>
          {blocks.map(({ file, code }) => (
            <div key={file} className="logs-block">
              {blocks.length > 1 && <p className="meta">{file}</p>}
              <CodeBlock code={code} filled={[url, token.secret, host]} label={file} />
            </div>
          ))}
          <p className="muted">{guide.then}</p>
          <Heard team={team} />
          <Intake team={team} />
          <dl className="logs-endpoints">
            {endpoints(url).map(({ name, path, key }) => (
              <div key={name}>
                <dt className="meta">{name}</dt>
                <dd>
                  <Copyable text={path} /> {key && <span className="meta">once {key} is set</span>}
                </dd>
              </div>
            ))}
          </dl>
          <p className="meta">
            The token goes into the header Authorization as Bearer, or is the password of basic authorization with any name. It may only send, never read. A header X-Scope-OrgID is not needed; if there is one it must name {team}.{" "}
            <a className="link" href="/docs/logs">The first ten minutes</a>
          </p>
        </div>
      </div>
    </>
  );
}

/** Counts what came in since the page was opened. */
function Heard({ team }: { team: string }) {
  const [since] = useState(() => Date.now());
  const navigate = useNavigate();
  // What comes is counted by its own time, and clocks differ a little.
  const asked = useMemo(() => ({ team, query: "", from: new Date(since - 60_000).toISOString(), to: new Date(since + 86_400_000).toISOString() }), [team, since]);
  const { data } = useQuery({ ...histogramQuery(asked, 1), refetchInterval: 2000, staleTime: 0 });
  const lines = data?.total ?? 0;
  return (
    <div className="waiting" role="status">
      <StatusGlyph status={lines > 0 ? "succeeded" : "running"} />
      <span className="min-w-0">
        {lines > 0 ? (
          <>
            <b>Lines come in</b> <span className="muted">{count(lines)} of the last minutes</span>
          </>
        ) : (
          <>
            <b>Waiting for the next line</b> <span className="muted desk">listening since {clockTime(since)}</span>
          </>
        )}
      </span>
      <span className="actions">
        <Button kind={lines > 0 ? "primary" : "second"} onClick={() => void navigate({ to: logsPath(team), search: { live: true, from: "now-5m" } as never })}>
          See the lines
        </Button>
      </span>
    </div>
  );
}
