import "./notifications.css";
import { useQuery } from "@tanstack/react-query";
import { BellRing, Bug, GitPullRequest, History, ListChecks, MessageSquareText, ScrollText } from "lucide-react";
import type { ReactNode } from "react";
import { useSession } from "@/api/session";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { channelsPath, historyPath, rulesPath } from "./paths";
import { channelsQuery } from "./queries";

type Props = { team: string; title: string; meta?: ReactNode; actions?: ReactNode; children: ReactNode };

/** The list at the left, the header and the tabs of the pages about who is told what. */
export function NotificationsFrame({ team, title, meta, actions, children }: Props) {
  const me = useSession();
  const channels = useQuery(channelsQuery(team)).data?.items.length;
  const base = `/teams/${encodeURIComponent(team)}`;
  const made = [
    { of: "ci", to: `${base}/ci/hooks/rules`, icon: GitPullRequest, label: "GitHub's events" },
    { of: "issues", to: `${base}/issues/alerts`, icon: Bug, label: "Alerts about errors" },
    { of: "logs", to: `${base}/logs/alerts`, icon: ScrollText, label: "Alerts about lines" },
    { of: "assistant", to: `${base}/assistant/slack`, icon: MessageSquareText, label: "Digests in Slack" },
  ].filter(({ of }) => me.capabilities.includes(of));
  usePage({ title: `${title} of ${team}`, crumbs: [{ label: "Notifications", to: channelsPath(team) }, { label: title }] });
  const tabs = [
    { label: "Channels", to: channelsPath(team), count: channels || undefined },
    { label: "Rules", to: rulesPath(team) },
    { label: "History", to: historyPath(team) },
  ];
  return (
    <>
      <ContextList>
        <ContextGroup title="Notifications">
          <ContextItem to={channelsPath(team)} icon={BellRing} label="Channels" end={channels || undefined} />
          <ContextItem to={rulesPath(team)} icon={ListChecks} label="Rules" />
          <ContextItem to={historyPath(team)} icon={History} label="History" />
        </ContextGroup>
        {made.length > 0 && (
          <ContextGroup title="Where rules are made">
            {made.map(({ of, ...item }) => (
              <ContextItem key={of} {...item} />
            ))}
          </ContextGroup>
        )}
      </ContextList>
      <PageHeader title="Notifications" meta={meta} actions={actions} tabs={tabs} tabsLabel="Notifications" />
      {children}
    </>
  );
}
