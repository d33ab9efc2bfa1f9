import { Outlet } from "@tanstack/react-router";
import { Activity, Building2, DatabaseBackup, KeyRound, Lock, ScrollText, Settings2, TriangleAlert, User, Users } from "lucide-react";
import { may, useSession } from "@/api/session";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import type { IconType } from "@/ui/Icon";
import { Tabs } from "@/ui/Tabs";
import { features } from "./features";
import { useTeam } from "./team";

type Entry = { to: string; search?: Record<string, unknown>; label: string; icon: IconType };

/** Settings of the team, of the installation and of the person, in one list. Narrow screens get it as tabs. */
export function SettingsLayout() {
  const me = useSession();
  const team = useTeam();
  const base = `/teams/${encodeURIComponent(team ?? "")}/settings`;
  const groups: { title: string; entries: Entry[] }[] = [];
  if (team) {
    groups.push({
      title: `Team ${team}`,
      entries: [
        { to: `${base}/team`, label: "Team", icon: Settings2 },
        { to: `${base}/members`, label: "Members", icon: Users },
        { to: `${base}/tokens`, label: "Tokens", icon: KeyRound },
        { to: `${base}/secrets`, label: "Secrets", icon: Lock },
        ...features.filter(({ name }) => me.capabilities.includes(name)).flatMap(({ settings }) => settings?.entries ?? []).map(({ path, ...entry }) => ({ to: `${base}/${path}`, ...entry })),
      ],
    });
  }
  if (team && !me.user.is_admin && may(me, team, "owner")) {
    groups[0]?.entries.push({ to: "/admin/audit", search: { team }, label: "Audit log", icon: ScrollText });
  }
  if (me.user.is_admin) {
    groups.push({
      title: "System",
      entries: [
        { to: "/admin/health", label: "Health", icon: Activity },
        { to: "/admin/backups", label: "Backups", icon: DatabaseBackup },
        { to: "/admin/users", label: "Users", icon: Users },
        { to: "/admin/teams", label: "Teams", icon: Building2 },
        { to: "/admin/audit", label: "Audit log", icon: ScrollText },
        { to: "/admin/jobs", label: "Dead letters", icon: TriangleAlert },
      ],
    });
  }
  groups.push({ title: "You", entries: [{ to: "/account", label: "Account", icon: User }] });
  return (
    <>
      <ContextList foot={`Signalbox ${me.version}`}>
        {groups.map((group) => (
          <ContextGroup key={group.title} title={group.title}>
            {group.entries.map((entry) => (
              <ContextItem key={entry.to} {...entry} />
            ))}
          </ContextGroup>
        ))}
      </ContextList>
      <div className="narrow-tabs">
        <Tabs label="Settings" items={groups.flatMap((group) => group.entries)} />
      </div>
      <Outlet />
    </>
  );
}
