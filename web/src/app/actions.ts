import { useNavigate } from "@tanstack/react-router";
import { BookOpen, BellRing, Boxes, Clock, House, Keyboard, LogOut, MessageSquareText, Monitor, Moon, Search, Settings2, ShieldCheck, Sun, User } from "lucide-react";
import { useSession } from "@/api/session";
import type { Action } from "@/ui/frame/context";
import { useActions } from "@/ui/frame/hooks";
import { features } from "./features";
import { useTeam } from "./team";
import { useTheme } from "./theme";

type Doors = { openPalette: () => void; openHelp: () => void; openAsk: () => void; signOut: () => void };

/** What the frame itself offers on every page. */
export function useFrameActions({ openPalette, openHelp, openAsk, signOut }: Doors): void {
  const me = useSession();
  const team = useTeam();
  const navigate = useNavigate();
  const [, setTheme] = useTheme();
  const go = (to: string) => () => void navigate({ to });
  const actions: Action[] = [
    { id: "frame.palette", label: "Go anywhere, run anything", group: "You", keys: "mod+k", icon: Search, hidden: true, run: openPalette },
  ];
  if (team && me.capabilities.includes("assistant")) {
    actions.push({ id: "frame.ask", label: "Ask the assistant", group: "Go to", also: "chat question", keys: "mod+j", icon: MessageSquareText, run: openAsk });
  }
  if (team) {
    const base = `/teams/${encodeURIComponent(team)}`;
    actions.push(
      { id: "go.home", label: "Home", group: "Go to", also: "what needs me", keys: "g o", icon: House, run: go(base) },
      { id: "go.timeline", label: "Timeline", group: "Go to", also: "what happened", keys: "g t", icon: Clock, run: go(`${base}/timeline`) },
      { id: "go.notifications", label: "Notifications", group: "Go to", also: "channels rules mail slack webhook quiet hours alerts", keys: "g n", icon: BellRing, run: go(`${base}/notifications`) },
      { id: "go.services", label: "Services", group: "Go to", icon: Boxes, run: go(`${base}/services`) },
    );
    for (const feature of features.filter(({ name }) => me.capabilities.includes(name))) {
      actions.push({ id: `go.${feature.name}`, label: feature.label, group: "Go to", keys: feature.keys, icon: feature.icon, run: go(feature.home(team)) });
    }
    actions.push({ id: "go.team", label: `Settings of ${team}`, group: "Go to", keys: "g s", icon: Settings2, run: go(`${base}/settings`) });
    for (const page of ["members", "tokens", "secrets"]) {
      actions.push({ id: `go.${page}`, label: `${page[0]?.toUpperCase()}${page.slice(1)} of ${team}`, group: "Go to", icon: Settings2, run: go(`${base}/settings/${page}`) });
    }
  }
  if (me.user.is_admin) {
    const pages = { users: "Users", teams: "Teams", audit: "Audit log", jobs: "Dead letters", health: "System health", backups: "Backups" };
    for (const [path, label] of Object.entries(pages)) {
      actions.push({ id: `go.admin.${path}`, label, group: "System", icon: ShieldCheck, run: go(`/admin/${path}`) });
    }
  }
  for (const { name } of me.teams.filter((membership) => membership.name !== team)) {
    actions.push({ id: `team.${name}`, label: `Switch to team ${name}`, group: "Teams", run: go(`/teams/${encodeURIComponent(name)}`) });
  }
  actions.push(
    { id: "go.account", label: "Your account", group: "You", also: "password profile", icon: User, run: go("/account") },
    { id: "theme.system", label: "Theme: as the system", group: "You", icon: Monitor, run: () => setTheme("system") },
    { id: "theme.light", label: "Theme: light", group: "You", icon: Sun, run: () => setTheme("light") },
    { id: "theme.dark", label: "Theme: dark", group: "You", icon: Moon, run: () => setTheme("dark") },
    { id: "go.manual", label: "Manual", group: "You", also: "docs help how", icon: BookOpen, run: () => window.location.assign("/docs") },
    { id: "frame.help", label: "Keyboard", group: "You", also: "shortcuts help", keys: "?", icon: Keyboard, run: openHelp },
    { id: "signout", label: "Sign out", group: "You", also: "log out", icon: LogOut, run: signOut },
  );
  useActions(actions);
}
