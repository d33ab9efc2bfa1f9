import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { CodeBlock } from "@/ui/CodeBlock";
import { Field, Input, Select } from "@/ui/Field";
import { Segmented } from "@/ui/Segmented";
import { Skeleton } from "@/ui/Skeleton";
import { issuesPath } from "../paths";
import { type Project, setupQuery } from "../queries";
import { monitorCommand, slugOf, type Way } from "./commands";

type Props = { team: string; projects: Project[]; project?: string; way: Way; onWay: (way: Way) => void };

/** The exact lines that start a monitor, with the address and the key in them. */
export function StartMonitor({ team, projects, project, way, onWay }: Props) {
  const [name, setName] = useState("nightly-report");
  const [chosen, setChosen] = useState(project ?? projects[0]?.slug);
  const known = projects.find(({ slug }) => slug === chosen) ?? projects[0];
  const { data: setup, error } = useQuery({ ...setupQuery(known?.id ?? 0), enabled: known !== undefined });
  const slug = slugOf(name);
  if (!known) {
    return (
      <p className="muted">
        A monitor belongs to a project, and its key is in the command: <Link className="link underline" to={issuesPath(team)}>create a project</Link> first.
      </p>
    );
  }
  return (
    <div className="grid gap-3 grid-cols-[minmax(0,1fr)]">
      <div className="issues-form-line">
        <Field label="Name of the job">
          <Input compact mono value={name} onChange={(event) => setName(event.target.value)} autoComplete="off" spellCheck={false} />
        </Field>
        {projects.length > 1 && (
          <Field label="Project">
            <Select compact value={known.slug} options={projects.map((one) => ({ value: one.slug, label: one.slug }))} onValue={setChosen} />
          </Field>
        )}
        <Segmented
          label="How"
          value={way}
          onChange={onWay}
          options={[
            { value: "curl", label: "curl" },
            { value: "cli", label: "sentry-cli" },
            { value: "sdk", label: "In the program" },
          ]}
        />
      </div>
      {setup && <CodeBlock code={monitorCommand(way, slug, setup.dsn, setup.check_in_url)} filled={[setup.dsn, setup.check_in_url.replace("MONITOR", slug), slug]} label="Commands" />}
      {!setup && !error && <Skeleton width={480} />}
      {error && <p className="meta">The project has no active key: make one first.</p>}
      <p className="meta">{way === "curl" ? "Without a schedule a job is shown, but nobody misses it; sentry-cli and the SDKs say when it is due." : "Its first check-in makes the monitor; the schedule can be changed by the next one."}</p>
    </div>
  );
}
