import { Link, useLocation } from "@tanstack/react-router";
import { Settings2, ShieldCheck } from "lucide-react";
import { useSession } from "@/api/session";
import { Icon, type IconType } from "@/ui/Icon";
import { Mark } from "@/ui/Mark";
import { Tooltip } from "@/ui/Tooltip";
import { features } from "./features";
import { useTeam } from "./team";

/** The five capabilities, as far as this server has them, then settings. On phones it is the bar at the bottom. */
export function Rail() {
  const me = useSession();
  const team = useTeam();
  const { pathname } = useLocation();
  const shown = features.filter((feature) => me.capabilities.includes(feature.name));
  return (
    <nav className="rail" aria-label="Capabilities">
      <Link to="/" className="mark" aria-label="Home" activeOptions={{ exact: true }}>
        <Mark />
      </Link>
      {team &&
        shown.map((feature) => (
          <RailLink
            key={feature.name}
            to={feature.home(team)}
            label={feature.label}
            icon={feature.icon}
            here={feature.owns?.(pathname)}
          />
        ))}
      <span className="gap" />
      {team && <RailLink to={`/teams/${encodeURIComponent(team)}/settings`} label="Team" icon={Settings2} />}
      {me.user.is_admin && <RailLink to="/admin" label="System" icon={ShieldCheck} />}
    </nav>
  );
}

type LinkProps = { to: string; label: string; icon: IconType; here?: boolean };

function RailLink({ to, label, icon, here }: LinkProps) {
  return (
    <Tooltip text={label} side="right">
      <Link to={to} aria-label={label} activeOptions={{ exact: false }} aria-current={here ? "page" : undefined}>
        <Icon of={icon} size="l" />
        <span className="word" aria-hidden="true">{label}</span>
      </Link>
    </Tooltip>
  );
}
