import type { ReactNode } from "react";
import type { Status } from "@/ui/status";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { wallPath, workersPath } from "../paths";
import { WallContext } from "../wall/WallContext";

type Props = { team: string; title: string; meta: ReactNode; status?: Status; children: ReactNode };

/** What the pages about workers share: the head, and the way from one to the other. */
export function WorkersFrame({ team, title, meta, status, children }: Props) {
  const workers = { label: "Workers", to: workersPath(team) };
  usePage({ title, crumbs: [{ label: "Pipelines", to: wallPath(team) }, ...(title === workers.label ? [{ label: title }] : [workers, { label: title }])], status });
  return (
    <>
      <WallContext team={team} />
      <PageHeader
        title={title}
        meta={meta}
        tabs={[workers, { label: "Containers", to: `${workers.to}/containers` }, { label: "Volumes", to: `${workers.to}/volumes` }]}
        tabsLabel="What runs builds"
      />
      {children}
    </>
  );
}
