import { Bell, EyeOff, Gauge, History, Send, TextSearch } from "lucide-react";
import { useState } from "react";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import { history } from "./explore/history";
import { alertsPath, limitsPath, logsPath, maskingPath, sendPath } from "./paths";

const listed = 12;

/** The list at the left of the pages of logs. `query` is the open search: the list is read anew when it changes. */
export function LogsContext({ team, query = "" }: { team: string; query?: string }) {
  const [read, setRead] = useState({ query, before: history(team) });
  if (read.query !== query) setRead({ query, before: history(team) });
  return (
    <ContextList>
      <ContextGroup title="Logs">
        <ContextItem to={logsPath(team)} search={{}} icon={TextSearch} label="All lines" />
        <ContextItem to={alertsPath(team)} icon={Bell} label="Alerts" deep />
      </ContextGroup>
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
