import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api, done } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Facts } from "@/ui/facts";
import { useTask } from "@/ui/frame/useTask";
import { SkeletonRows } from "@/ui/Skeleton";
import { EmptyState } from "@/ui/states";
import { VersionList } from "@/ui/thread/parts";
import { EditService } from "./EditService";
import { Happenings } from "./Happenings";
import { HomeFrame } from "./HomeFrame";
import { servicesPath, timelinePath } from "./paths";
import { type Service, serviceNodesQuery, servicesQuery, timelineQuery } from "./queries";

/** One service: where each capability sees it, and what happened to it in a week. */
export function ServicePage() {
  const { team, service: name } = useParams({ strict: false }) as { team: string; service: string };
  const service = useSuspenseQuery(servicesQuery(team)).data.items.find((one) => one.name === name);
  const { data: timeline } = useQuery({ ...timelineQuery(team, { hours: 168, service: name }), enabled: Boolean(service) });
  const [open, setOpen] = useState<"edit" | "delete">();
  const refused = refusal(useSession(), team, "member");
  const under = { label: "Services", to: servicesPath(team) };
  if (!service) {
    return (
      <HomeFrame team={team} title={name} under={under}>
        <EmptyState headline="No such service">It was deleted, or nobody has described it yet.</EmptyState>
      </HomeFrame>
    );
  }
  return (
    <HomeFrame
      team={team}
      title={service.name}
      under={under}
      meta={service.description}
      missing={timeline?.missing}
      actions={
        <>
          <Button icon={Pencil} refused={refused} onClick={() => setOpen("edit")}>
            Change
          </Button>
          <Button icon={Trash2} refused={refused} onClick={() => setOpen("delete")}>
            Delete
          </Button>
        </>
      }
    >
      <div className="pane">
        <Facts items={ties(team, service)} />
      </div>
      {service.package !== "" && <OnNodes team={team} service={service} />}
      <div className="section-head pt-4 px-(--gutter)">
        <h2>The last seven days</h2>
        <Link className="link" to={timelinePath(team)} search={{ service: service.name, hours: 720 } as never}>
          Further back
        </Link>
      </div>
      {!timeline ? <SkeletonRows /> : timeline.events.length > 0 ? <Happenings events={timeline.events} label="What happened to it" /> : <p className="muted px-(--gutter) py-3">Nothing happened to it.</p>}
      {open === "edit" && <EditService team={team} service={service} onClose={() => setOpen(undefined)} />}
      <Forget team={team} service={service} open={open === "delete"} onClose={() => setOpen(undefined)} />
    </HomeFrame>
  );
}

/** Which version of it runs where. */
function OnNodes({ team, service }: { team: string; service: Service }) {
  const { data: nodes } = useQuery(serviceNodesQuery(team, service.name));
  if (!nodes) return null;
  return (
    <section aria-label="Where it runs">
      <div className="section-head pt-4 px-(--gutter)">
        <h2>Where it runs</h2>
        <span className="meta">{nodes.total > 0 && plural(nodes.total, "node")}</span>
      </div>
      <div className="px-(--gutter) py-2 max-w-[760px]">
        <VersionList nodes={nodes} />
      </div>
    </section>
  );
}

function Forget({ team, service, open, onClose }: { team: string; service: Service; open: boolean; onClose: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useTask({
    run: () => done(api.DELETE("/api/v1/accounts/teams/{team}/services/{service}", { params: { path: { team, service: service.name } } })),
    failed: "The service is still there.",
    onDone: () => {
      void client.invalidateQueries({ queryKey: servicesQuery(team).queryKey });
      void navigate({ to: servicesPath(team) });
    },
  });
  return (
    <Confirm open={open} onClose={onClose} onConfirm={() => void remove.start()} busy={remove.busy} title={`Delete ${service.name}?`} act="Delete">
      Only the ties go: repository, pipeline, errors and lines stay.
    </Confirm>
  );
}

/** Each tie with the page that shows it. */
function ties(team: string, service: Service): [ReactNode, ReactNode][] {
  const base = `/teams/${encodeURIComponent(team)}`;
  const page = (to: string, text: string, search?: Record<string, string>) => (
    <Link className="link" to={base + to} search={search as never}>
      {text}
    </Link>
  );
  const { repository, pipeline, job, project, log_filter: filter, package: carried, owners } = service;
  const list: [ReactNode, ReactNode | false][] = [
    ["Repository", repository !== "" && page("/ci/hooks/deliveries", repository, { repository })],
    ["Pipeline", pipeline !== "" && page(`/pipelines/${encodeURIComponent(pipeline)}${job && `/jobs/${encodeURIComponent(job)}`}`, [pipeline, job].filter(Boolean).join(" / "))],
    ["Errors", project !== "" && page(`/issues/projects/${encodeURIComponent(project)}`, project)],
    ["Releases", project !== "" && page("/issues/releases", "Releases")],
    ["Lines", filter !== "" && page("/logs", filter, { q: filter })],
    ["On nodes", carried !== "" && page("/edge", carried, { q: `package:${carried}` })],
    ["Owners", owners.length > 0 && owners.join(", ")],
  ];
  return list.filter(([, value]) => value !== false) as [ReactNode, ReactNode][];
}
