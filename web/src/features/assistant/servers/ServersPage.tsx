import "./servers.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/ui/Button";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EmptyState } from "@/ui/states";
import { AssistantContext } from "../AssistantContext";
import { assistantPath } from "../paths";
import { type Server, serversQuery } from "./queries";
import { ServerCard } from "./ServerCard";
import { ServerDialog } from "./ServerDialog";

// What the form asks for, as for the reference server of the protocol.
const sample = "/usr/bin/npx\n--yes\n@modelcontextprotocol/server-everything";

/** Outside MCP servers: an administrator names them, and says what of each tool may be done. */
export function ServersPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const servers = useSuspenseQuery(serversQuery(team)).data.items;
  const [editing, setEditing] = useState<Server | "new" | null>(null);
  usePage({ title: "Tools of others", crumbs: [{ label: "Assistant", to: assistantPath(team) }, { label: "Tools of others" }] });
  const add = (
    <Button kind="primary" icon={Plus} onClick={() => setEditing("new")}>
      Add a server
    </Button>
  );
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader
        title="Tools of others"
        meta="MCP servers that the assistant of this team may call"
        actions={add}
      />
      {servers.length === 0 && (
        <EmptyState headline="No outside server yet" command={sample} commandLabel="A program and its arguments, one a line" actions={add}>
          A program on this machine or an address that speaks MCP. None of its tools is called before you have looked at it and said what may be done with it.
        </EmptyState>
      )}
      <div className="pane assistant-servers">
        {servers.map((server) => (
          <ServerCard key={server.id} team={team} server={server} onEdit={() => setEditing(server)} />
        ))}
      </div>
      <ServerDialog key={editing === "new" ? "new" : editing?.id} team={team} editing={editing} onClose={() => setEditing(null)} />
    </>
  );
}
