import { Link } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { CodeBlock } from "@/ui/CodeBlock";

/** The first day: five ways to begin, each with the very command or page. */
export function Beginnings({ team }: { team: string }) {
  const { capabilities } = useSession();
  const base = `/teams/${encodeURIComponent(team)}`;
  const here = window.location.origin;
  const ways = [
    { capability: "ci", title: "Run a pipeline", why: "Concourse’s YAML and the real fly, unchanged.", command: `fly -t here login -c ${here} -n ${team}\nfly -t here set-pipeline -p hello -c hello.yml`, to: `${base}/ci/new`, label: "Write one here" },
    { capability: "ci", title: "Connect GitHub", why: "A push starts its build at once, and the result shows there.", to: `${base}/ci/hooks`, label: "Connect" },
    { capability: "issues", title: "Send errors", why: "Any Sentry SDK, by changing its DSN.", to: `${base}/issues`, label: "Get a DSN" },
    { capability: "logs", title: "Ship log lines", why: "Loki, Elasticsearch, OTLP, syslog or Fluent: point the shipper here.", to: `${base}/logs/send`, label: "Get the configuration" },
    { capability: "edge", title: "Enrol a machine", why: "Patched offline, at a capped rate, and back again when it fails.", to: `${base}/edge/enrolment`, label: "Get the installer" },
    { capability: "assistant", title: "Ask a question", why: "“What happened since yesterday?” It looks things up and shows how.", to: `${base}/assistant`, label: "Ask" },
  ].filter(({ capability }) => capabilities.includes(capability));
  return (
    <div className="pane pt-8 empty">
      <h2 className="headline">Begin anywhere</h2>
      <p className="muted mt-2 max-w-[560px]">What comes in is joined here: push, build, release, error, log line, node. This page then shows what needs you and what happened lately. <a className="link" href="/docs">The manual</a></p>
      <ul className="grid gap-6 mt-6 max-w-[760px]">
        {ways.map(({ title, why, command, to, label }) => (
          <li key={title} className="grid grid-cols-[minmax(0,1fr)] gap-2">
            <div className="line flex-wrap">
              <b>{title}</b>
              <span className="muted">{why}</span>
              <Link className="link" to={to}>
                {label}
              </Link>
            </div>
            {command && <CodeBlock code={command} filled={[here, team]} />}
          </li>
        ))}
      </ul>
    </div>
  );
}
