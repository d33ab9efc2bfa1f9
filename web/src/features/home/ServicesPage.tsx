import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { EditService } from "./EditService";
import { HomeFrame } from "./HomeFrame";
import { homePath, servicePath } from "./paths";
import { type Proposal, proposalsQuery, type Service, servicesQuery } from "./queries";

/** What the team runs, and what else seems to be a service. */
export function ServicesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const services = useSuspenseQuery(servicesQuery(team)).data.items;
  const proposals = useSuspenseQuery(proposalsQuery(team)).data.items;
  const [edited, setEdited] = useState<Partial<Service>>();
  const refused = refusal(useSession(), team, "member");
  useActions([{ id: "home.service.new", label: "Describe a service", group: "This page", keys: "c", icon: Plus, refused, run: () => setEdited({}) }]);
  return (
    <HomeFrame
      team={team}
      title="Services"
      under={{ label: "Home", to: homePath(team) }}
      meta={services.length === 0 ? "none described" : plural(services.length, "service")}
      actions={
        <Button kind="primary" icon={Plus} refused={refused} tip="c" onClick={() => setEdited({})}>
          Service
        </Button>
      }
    >
      {services.length === 0 ? (
        <EmptyState headline="No services yet">
          A service ties a repository, a pipeline, an error project and log lines together, so that one page shows a commit, its build, the release, its errors and its lines. What seems to belong together is proposed below as soon as it is there.
        </EmptyState>
      ) : (
        <Table label="Services" keyboard columns={columns(team)} rows={services} rowKey={({ name }) => name} />
      )}
      {proposals.length > 0 && <Proposed proposals={proposals} refused={refused} onTake={setEdited} />}
      {edited && <EditService team={team} service={edited} onClose={() => setEdited(undefined)} />}
    </HomeFrame>
  );
}

function Proposed({ proposals, refused, onTake }: { proposals: Proposal[]; refused: string | false; onTake: (proposal: Proposal) => void }) {
  return (
    <section aria-label="Proposed">
      <div className="section-head pt-6 px-(--gutter)">
        <h2>Proposed</h2>
        <span className="meta">what seems to belong together; nothing is tied until somebody says so</span>
      </div>
      <ul className="rows">
        {proposals.map((proposal) => (
          <li key={proposal.name} className="line flex-wrap px-(--gutter) py-2">
            <b>{proposal.name}</b>
            <span className="muted min-w-0">{proposal.because}</span>
            <span className="push" />
            <Button size="small" refused={refused} onClick={() => onTake(proposal)}>
              Look and confirm
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

const columns = (team: string): Column<Service>[] => [
  {
    key: "name",
    head: "Service",
    lead: true,
    cell: ({ name, description }) => (
      <span className="line">
        <Link className="title" to={servicePath(team, name)}>
          {name}
        </Link>
        <span className="muted clip">{description}</span>
      </span>
    ),
  },
  { key: "repository", head: "Repository", said: "Repository", cell: ({ repository }) => repository || "–" },
  { key: "pipeline", head: "Pipeline", said: "Pipeline", cell: ({ pipeline, job }) => (pipeline ? [pipeline, job].filter(Boolean).join(" / ") : "–") },
  { key: "project", head: "Errors", said: "Errors", cell: ({ project }) => project || "–" },
  { key: "logs", head: "Lines", said: "Lines", cell: ({ log_filter: filter }) => (filter ? <code>{filter}</code> : "–") },
  { key: "owners", head: "Owners", said: "Owners", cell: ({ owners }) => owners.join(", ") || "–" },
];
