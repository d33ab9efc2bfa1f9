import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { api, data } from "@/api/client";
import { clockTime } from "@/format/time";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { params, text } from "@/ui/schema";
import { Select } from "@/ui/Field";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { useUrlState } from "@/ui/useUrlState";
import { useMemberRefusal } from "../acts";
import { intakePath, issuesPath, settingsPath } from "../paths";
import { type Project, type ProjectSetup, setupQuery } from "../queries";
import { ProjectHeader } from "./ProjectHeader";
import { useProject } from "./useProject";

const setupSearch = params({ platform: text() });

/** Paste this, start the program once, and the page turns green. */
export function SetupPage() {
  const { team, project } = useProject();
  const setup = useSuspenseQuery(setupQuery(project.id)).data;
  const [{ platform }, setSearch] = useUrlState(setupSearch);
  const guide = setup.guides.find(({ id }) => id === (platform ?? setup.platform)) ?? setup.guides[0];
  const heard = Boolean(setup.first_event_at);
  return (
    <>
      <ProjectHeader team={team} project={project} page="Set up" />
      <div className="pane issues-setup">
        <div className="empty">
          <h2 className="headline">{heard ? `${project.slug} reports its errors here` : "No errors yet, because nothing reports here"}</h2>
          <p>
            Errors of <b>{project.slug}</b> appear within two seconds: grouped, with the source line and the release. Any Sentry SDK works. Paste this, start your program once.{" "}
            <a className="link" href="/docs/errors">The first ten minutes</a>
          </p>
          <ol className="issues-steps">
            <Step no={1} title="Install the SDK" end={<Select compact aria-label="Platform" value={guide?.id ?? ""} options={setup.guides.map(({ id, name }) => ({ value: id, label: name }))} onValue={(next) => setSearch({ platform: next })} />}>
              <CodeBlock code={guide?.install ?? ""} label="Install command" />
            </Step>
            <Step no={2} title="Point it at this server" end={<span className="meta">the key may only send, never read</span>}>
              <CodeBlock code={guide?.code ?? ""} filled={[setup.dsn]} label="Snippet" />
              <Addresses setup={setup} project={project} team={team} />
            </Step>
            <Step no={3} title="Throw something" end={<span className="meta">or let this page do it</span>}>
              <Heard team={team} project={project} setup={setup} />
            </Step>
          </ol>
        </div>
      </div>
    </>
  );
}

function Step({ no, title, end, children }: { no: number; title: string; end: ReactNode; children: ReactNode }) {
  return (
    <li>
      <span className="no">{no}</span>
      <div className="min-w-0">
        <div className="line">
          <b>{title}</b>
          <span className="push">{end}</span>
        </div>
        {children}
      </div>
    </li>
  );
}

function Addresses({ setup, project, team }: { setup: ProjectSetup; project: Project; team: string }) {
  return (
    <dl className="issues-dsn">
      <dt className="meta">DSN</dt>
      <dd>
        <Copyable text={setup.dsn} />
      </dd>
      <dt className="meta">With secret</dt>
      <dd>
        <Copyable text={setup.dsn_with_secret} what="Copy the DSN for clients of the first years" />
      </dd>
      <dt className="meta">Envelopes</dt>
      <dd>
        <Copyable text={setup.envelope_url} />
      </dd>
      <dt className="meta">Origins</dt>
      <dd>
        {project.origins.length > 0 ? project.origins.join(", ") : "any"}{" "}
        <Link className="link underline" to={settingsPath(team, project.slug)}>
          {project.origins.length > 0 ? "Change" : "Narrow"}
        </Link>
      </dd>
    </dl>
  );
}

function Heard({ team, project, setup }: { team: string; project: Project; setup: ProjectSetup }) {
  const [since] = useState(() => Date.now());
  const refused = useMemberRefusal(team);
  const toast = useToast();
  const navigate = useNavigate();
  const send = useTask({
    run: () => data(api.POST("/api/v1/issues/projects/{id}/test-event", { params: { path: { id: project.id } } })),
    failed: "The test event was not taken.",
    onDone: ({ event_id: id }) => toast({ text: `Test event ${id.slice(0, 8)} is sent` }),
  });
  const first = setup.first_event_at;
  return (
    <>
      <div className={first ? "waiting is-heard" : "waiting"} role="status">
        <StatusGlyph status={first ? "succeeded" : "running"} />
        <span className="min-w-0">
          {first ? (
            <>
              <b>Connected</b>{" "}
              <span className="muted">
                last event <RelativeTime at={setup.last_event_at ?? first} />
              </span>
            </>
          ) : (
            <>
              <b>Waiting for the first event</b> <span className="muted desk">listening since {clockTime(since)}</span>
            </>
          )}
        </span>
        <span className="actions">
          <Button kind={first ? "second" : "primary"} busy={send.busy} refused={refused} onClick={() => void send.start()}>
            Send test event
          </Button>
          {first && (
            <Button kind="primary" onClick={() => void navigate({ to: issuesPath(team), search: { project: project.slug } as never })}>
              See the issues
            </Button>
          )}
        </span>
      </div>
      {!first && (
        <p className="meta mt-2">
          Nothing after a minute? An ad blocker may stop the request, or it was refused:{" "}
          <Link className="link underline" to={intakePath(team, project.slug)}>
            see what came in
          </Link>
          .
        </p>
      )}
    </>
  );
}
