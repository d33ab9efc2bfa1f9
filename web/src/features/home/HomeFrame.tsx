import "./home.css";
import { useQuery } from "@tanstack/react-query";
import { BookOpen, Boxes, Clock, House } from "lucide-react";
import type { ReactNode } from "react";
import { useSession } from "@/api/session";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { Notice } from "@/ui/states";
import { homePath, servicePath, servicesPath, timelinePath } from "./paths";
import { homeQuery, servicesQuery } from "./queries";

type Props = { team: string; title: string; under?: { label: string; to: string }; meta?: ReactNode; actions?: ReactNode; /** Capabilities that did not answer. */ missing?: string[]; children: ReactNode };

/** The list at the left and the header of the pages that join everything. */
export function HomeFrame({ team, title, under, meta, actions, missing = [], children }: Props) {
  const { demo } = useSession();
  const waiting = useQuery(homeQuery(team)).data?.needs.length;
  const services = useQuery(servicesQuery(team)).data?.items ?? [];
  usePage({ title, crumbs: [...(under ? [under] : []), { label: title }] });
  return (
    <>
      <ContextList>
        <ContextGroup title={team}>
          <ContextItem to={homePath(team)} icon={House} label="Home" end={waiting || undefined} />
          <ContextItem to={timelinePath(team)} icon={Clock} label="Timeline" />
          {demo && <ContextItem to={`${homePath(team)}/story`} icon={BookOpen} label="Story" />}
        </ContextGroup>
        <ContextGroup title="Services">
          <ContextItem to={servicesPath(team)} icon={Boxes} label="All services" end={services.length || undefined} />
          {services.slice(0, 20).map(({ name }) => (
            <ContextItem key={name} to={servicePath(team, name)} icon={Boxes} label={name} />
          ))}
        </ContextGroup>
      </ContextList>
      <PageHeader title={title} meta={meta} actions={actions} />
      {missing.length > 0 && (
        <div className="pane pb-0">
          <Notice kind="warn">{missing.join(" and ")} did not answer, so what is theirs is missing here.</Notice>
        </div>
      )}
      {children}
    </>
  );
}
