import { useNavigate } from "@tanstack/react-router";
import { BookOpen, Keyboard, LogOut, Monitor, Moon, Sun, User } from "lucide-react";
import { useSession } from "@/api/session";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuSeparator } from "@/ui/Menu";
import { type Theme, useTheme } from "./theme";

const themes: { value: Theme; label: string; icon: typeof Sun }[] = [
  { value: "system", label: "System", icon: Monitor },
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
];

type Props = { onHelp: () => void; onSignOut: () => void };

/** Who is signed in, the theme, and the way out. */
export function AvatarMenu({ onHelp, onSignOut }: Props) {
  const me = useSession();
  const navigate = useNavigate();
  const [theme, setTheme] = useTheme();
  return (
    <Menu
      align="end"
      label="Account"
      trigger={
        <button type="button" className="avatar" aria-label={`Account of ${me.user.name}`}>
          {me.user.name.slice(0, 2).toLowerCase()}
        </button>
      }
    >
      <MenuLabel>
        {me.user.name}
        {me.user.is_admin ? ", administrator" : ""}
      </MenuLabel>
      <MenuItem icon={User} onSelect={() => void navigate({ to: "/account" })}>
        Account
      </MenuItem>
      <MenuItem icon={Keyboard} keys="?" onSelect={onHelp}>
        Keyboard
      </MenuItem>
      <MenuItem icon={BookOpen} onSelect={() => window.location.assign("/docs")}>
        Manual
      </MenuItem>
      <MenuSeparator />
      <MenuChoice label="Theme" value={theme} options={themes} onChange={setTheme} />
      <MenuSeparator />
      <MenuItem icon={LogOut} onSelect={onSignOut}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
