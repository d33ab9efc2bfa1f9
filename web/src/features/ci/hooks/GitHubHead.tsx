import "./hooks.css";
import type { ReactNode } from "react";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { addressesPath, deliveriesPath, hooksPath, postsPath, repositoriesPath, rulesPath, wallPath } from "../paths";
import { WallContext } from "../wall/WallContext";

type Props = { team: string; title: string; meta?: ReactNode; actions?: ReactNode };

/** The header that the pages of GitHub share; each of them is a tab with an address of its own. */
export function GitHubHead({ team, title, meta, actions }: Props) {
  usePage({ title: title === "GitHub" ? title : `${title} · GitHub`, crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: "GitHub", to: hooksPath(team) }] });
  const tabs = [
    { label: "Connections", to: hooksPath(team) },
    { label: "Repositories", to: repositoriesPath(team) },
    { label: "Webhooks", to: addressesPath(team) },
    { label: "Deliveries", to: deliveriesPath(team) },
    { label: "Rules", to: rulesPath(team) },
    { label: "Outbox", to: postsPath(team) },
  ];
  return (
    <>
      <WallContext team={team} />
      <PageHeader title={title} meta={meta} actions={actions} tabs={tabs} tabsLabel="GitHub" />
    </>
  );
}
