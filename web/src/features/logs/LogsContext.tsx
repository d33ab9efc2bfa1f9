import { Bell, Bookmark, EyeOff, Gauge, History, Send, TextSearch } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import { history } from "./explore/history";
import { alertsQuery } from "./alerts/queries";
import { searchOf } from "./saved/address";
import { savedQuery } from "./saved/queries";
import { alertsPath, limitsPath, logsPath, maskingPath, sendPath } from "./paths";

const listed = 12;

/** The list at the left of the pages of logs. `query` is the open search: the list is read anew when it changes. */
export function LogsContext({ team, query = "" }: { team: string; query?: string }) {
  const [read, setRead] = useState({ query, before: history(team) });
  if (read.query !== query) setRead({ query, before: history(team) });
  const saved = useQuery(savedQuery(team)).data?.items ?? [];
  const firing = useQuery(alertsQuery(team)).data?.items.filter(({ state }) => state === "firing").length;
  return (
    <ContextList>
      <ContextGroup title="Logs">
        <ContextItem to={logsPath(team)} search={{}} icon={TextSearch} label="All lines" />
        <ContextItem to={alertsPath(team)} icon={Bell} label="Alerts" deep end={firing ? `${firing} firing` : undefined} />
      </ContextGroup>
      {saved.length > 0 && (
        <ContextGroup title="Saved">
          {saved.map((one) => (
            <ContextItem key={one.id} to={logsPath(team)} search={{ ...searchOf(one), saved: one.id }} icon={Bookmark} label={one.name} end={one.shared ? undefined : "mine"} />
          ))}
        </ContextGroup>
      )}
      <ContextGroup title="Intake">
        <ContextItem to={sendPath(team)} icon={Send} label="Send logs" />
        <ContextItem to={maskingPath(team)} icon={EyeOff} label="Masking" />
        <ContextItem to={limitsPath(team)} icon={Gauge} label="Retention and limits" />
      </ContextGroup>
      <ContextGroup title="Levels">
        <ContextItem to={logsPath(team)} search={{ q: "level:>=error" }} icon={TextSearch} label="Errors" />
        <ContextItem to={logsPath(team)} search={{ q: "level:>=warn" }} icon={TextSearch} label="Warnings and worse" />
      </ContextGroup>
      {read.before.length > 0 && (
        <ContextGroup title="Searched before">
          {read.before.slice(0, listed).map((q) => (
            <ContextItem key={q} to={logsPath(team)} search={{ q }} icon={History} label={q} />
          ))}
        </ContextGroup>
      )}
    </ContextList>
  );
}
