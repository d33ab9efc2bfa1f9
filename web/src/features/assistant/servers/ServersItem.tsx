import { Blocks } from "lucide-react";
import { useSession } from "@/api/session";
import { ContextItem } from "@/ui/frame/ContextList";
import { serversPath } from "./paths";

/** The way to the outside servers, which administrators see. */
export function ServersItem({ team }: { team: string }) {
  return useSession().user.is_admin ? <ContextItem to={serversPath(team)} icon={Blocks} label="Tools of others" /> : null;
}
