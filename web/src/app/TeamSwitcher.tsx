import { useNavigate } from "@tanstack/react-router";
import { Check, ChevronDown, Plus } from "lucide-react";
import { useSession } from "@/api/session";
import { Icon } from "@/ui/Icon";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "@/ui/Menu";
import { useTeam } from "./team";

/** The team whose things are shown. */
export function TeamSwitcher() {
  const me = useSession();
  const team = useTeam();
  const navigate = useNavigate();
  const go = (to: string) => () => void navigate({ to });
  return (
    <Menu
      label="Teams"
      trigger={
        <button type="button" className="team" aria-label={`Team ${team ?? "none"}, switch`}>
          <span className="clip">{team ?? "No team"}</span>
          <Icon of={ChevronDown} size="s" />
        </button>
      }
    >
      <MenuLabel>Teams</MenuLabel>
      {me.teams.map(({ name, role }) => (
        <MenuItem key={name} icon={name === team ? Check : undefined} onSelect={go(`/teams/${encodeURIComponent(name)}`)}>
          {name} <span className="meta">{role}</span>
        </MenuItem>
      ))}
      {me.user.is_admin && (
        <>
          <MenuSeparator />
          <MenuItem icon={Plus} onSelect={go("/admin/teams")}>
            All teams, new team
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
