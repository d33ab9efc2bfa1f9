import { useQuery } from "@tanstack/react-query";
import { Hand } from "lucide-react";
import { ContextItem } from "@/ui/frame/ContextList";
import { approvalsPath } from "./paths";
import { approvalsQuery } from "./queries";

/** The way to what waits, with how many there are. */
export function ApprovalsItem({ team }: { team: string }) {
  const waiting = useQuery(approvalsQuery(team, "waiting")).data?.items.length ?? 0;
  return <ContextItem to={approvalsPath(team)} icon={Hand} label="Changes it proposes" deep end={waiting > 0 ? waiting : undefined} />;
}
