import { useNavigate } from "@tanstack/react-router";
import { Bell } from "lucide-react";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { newAlertPath } from "../paths";
import type { Explore } from "./useExplore";

/** Makes an alert of what is searched for. */
export function AlertButton({ explore }: { explore: Explore }) {
  const { team, query } = explore;
  const refused = refusal(useSession(), team, "member");
  const navigate = useNavigate();
  const run = () => void navigate({ to: newAlertPath(team), search: (query ? { q: query } : {}) as never });
  useActions([{ id: "logs.alert", label: "Alert from this search", group: "This page", icon: Bell, refused, run }]);
  return (
    <Button icon={Bell} refused={refused} aria-label="Alert from this search" onClick={run}>
      <span className="desk">Alert</span>
    </Button>
  );
}
