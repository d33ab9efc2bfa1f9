import { useQueryClient } from "@tanstack/react-query";
import { Pencil, Play, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Confirm } from "@/ui/Dialog";
import { Chip } from "@/ui/facts";
import { Select } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { deleteServer, type Permission, permit, type Server, type ServerTool, serversQuery } from "./queries";
import { TryDialog } from "./TryDialog";
import { inUse, permissions, place, standing } from "./words";

/** One server: how it stands, what went wrong, and its tools with what may be done with each. */
export function ServerCard({ team, server, onEdit }: { team: string; server: Server; onEdit: () => void }) {
  const [trying, setTrying] = useState<ServerTool | null>(null);
  const [leaving, setLeaving] = useState(false);
  const client = useQueryClient();
  const remove = useTask({
    run: () => deleteServer(server.id),
    onDone: () => {
      setLeaving(false);
      void client.invalidateQueries({ queryKey: serversQuery(team).queryKey });
    },
    failed: "It could not be deleted.",
  });
  const { status, word } = standing(server.state);
  return (
    <article className="card assistant-server" aria-label={server.name}>
      <header>
        <h2>{server.name}</h2>
        <Status status={status} word={word} />
        {server.since && (
          <span className="meta since">
            since <RelativeTime at={server.since} />
          </span>
        )}
        <span className="push">
          <IconButton icon={Pencil} label={`Change ${server.name}`} onClick={onEdit} />
          <IconButton icon={Trash2} label={`Delete ${server.name}`} onClick={() => setLeaving(true)} />
        </span>
      </header>
      <div className="body">
        <p className="meta">
          <code className="value">{place(server)}</code> · {inUse(server.tools)}
          {server.secrets.length > 0 && <> · secrets {server.secrets.join(", ")}</>}
          {server.inside && <> · private addresses allowed</>}
        </p>
        {server.error && <Notice kind="bad">{server.error}</Notice>}
        {server.stderr && server.state !== "connected" && <CodeBlock label="What it complained about last" code={server.stderr} wrap />}
        {server.tools.length > 0 && (
          <ul className="tools" aria-label={`Tools of ${server.name}`}>
            {server.tools.map((tool) => (
              <ToolRow key={tool.name} team={team} server={server} tool={tool} onTry={() => setTrying(tool)} />
            ))}
          </ul>
        )}
      </div>
      <TryDialog key={trying?.name} server={server} tool={trying} onClose={() => setTrying(null)} />
      <Confirm open={leaving} onClose={() => setLeaving(false)} onConfirm={() => void remove.start()} busy={remove.busy} title={`Delete ${server.name}?`} act="Delete">
        The assistant loses its {server.tools.length} tools, and what you have said about each is forgotten.
      </Confirm>
    </article>
  );
}

function ToolRow({ team, server, tool, onTry }: { team: string; server: Server; tool: ServerTool; onTry: () => void }) {
  const client = useQueryClient();
  const change = useTask({
    run: (permission: Permission) => permit(server.id, tool.name, permission),
    onDone: () => void client.invalidateQueries({ queryKey: serversQuery(team).queryKey }),
    failed: "That could not be kept.",
  });
  const locked = tool.changed && tool.permission !== "off";
  return (
    <li>
      <details>
        <summary>
          <code className="clip">{tool.name}</code>
          {locked && <Chip kind="warn">changed, locked</Chip>}
        </summary>
        <p className="muted description">{tool.description || "It says nothing about itself."}</p>
        <p className="meta">
          Models see it as <code>{tool.shown}</code>
        </p>
        <CodeBlock label="Its arguments" code={JSON.stringify(tool.schema, null, 2)} />
      </details>
      <span className="acts">
        {locked && (
          <Button size="small" busy={change.busy} onClick={() => void change.start(tool.permission)} tip="It describes itself otherwise than when it was allowed. Look at it first.">
            Allow it as it is now
          </Button>
        )}
        <Select compact aria-label={`What may be done with ${tool.name}`} value={tool.permission} disabled={change.busy} options={permissions} onValue={(value) => void change.start(value as Permission)} />
        <IconButton icon={Play} label={`Try ${tool.name}`} refused={server.state !== "connected" && "The server is not connected."} onClick={onTry} />
      </span>
    </li>
  );
}
