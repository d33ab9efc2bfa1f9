import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Input, Textarea, Tick } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { Segmented } from "@/ui/Segmented";
import { Notice } from "@/ui/states";
import { saveServer, type Server, serversQuery } from "./queries";
import { secretsOf } from "./words";

type Props = { team: string; editing: Server | "new" | null; onClose: () => void };

/** Names a server, or changes one. */
export function ServerDialog({ team, editing, onClose }: Props) {
  return (
    <Dialog open={editing !== null} onClose={onClose} title={editing === "new" ? "Add a server" : `Change ${editing?.name ?? ""}`} description="It gets nothing of this server's environment, only the secrets that are named here.">
      {editing && <ServerForm team={team} server={editing === "new" ? undefined : editing} onClose={onClose} />}
    </Dialog>
  );
}

function ServerForm({ team, server, onClose }: { team: string; server?: Server; onClose: () => void }) {
  const [name, setName] = useState(server?.name ?? "");
  const [kind, setKind] = useState(server?.kind ?? "stdio");
  const [command, setCommand] = useState(server?.command.join("\n") ?? "");
  const [url, setURL] = useState(server?.url ?? "");
  const [secrets, setSecrets] = useState("");
  const [inside, setInside] = useState(server?.inside ?? false);
  const [repositories, setRepositories] = useState(server?.repositories ?? true);
  const [enabled, setEnabled] = useState(server?.enabled ?? true);
  const [timeout, setTimeoutText] = useState(String(server?.timeout_seconds ?? 20));
  const client = useQueryClient();
  const save = useTask({
    run: () =>
      saveServer(team, server?.id, { name: name.trim(), kind, command: command.split("\n").filter(Boolean), url: url.trim(), secrets: secretsOf(secrets), inside, repositories, enabled, timeout_seconds: Number(timeout) || 0 }),
    onDone: () => {
      void client.invalidateQueries({ queryKey: serversQuery(team).queryKey });
      onClose();
    },
  });
  const problem = save.error ? asProblem(save.error) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void save.start();
  };
  const kept = server && server.secrets.length > 0 ? `Kept: ${server.secrets.join(", ")}. A line without = takes one away; another ${kind === "stdio" ? "program" : "address"} gets none of them.` : "";
  return (
    <form className="contents" onSubmit={submit} noValidate>
      {problem && problem.fields.length === 0 && <Notice kind="bad">{problem.message}</Notice>}
      <Field label="Name" hint="Begins the names of its tools." error={problem?.field("name")}>
        <Input value={name} placeholder="tracker" onChange={({ target }) => setName(target.value)} />
      </Field>
      <div className="assistant-kind">
        <Segmented
          label="How it is reached"
          value={kind}
          onChange={setKind}
          options={[
            { value: "stdio", label: "A program here" },
            { value: "http", label: "An address" },
          ]}
        />
      </div>
      {kind === "stdio" ? (
        <Field label="Program and arguments" hint="One a line; the program by its whole path." error={problem?.field("command")}>
          <Textarea mono rows={3} value={command} placeholder={"/usr/local/bin/tracker-mcp\n--read-only"} onChange={({ target }) => setCommand(target.value)} />
        </Field>
      ) : (
        <Field label="Address" error={problem?.field("url")}>
          <Input mono value={url} placeholder="https://tracker.example.com/mcp" onChange={({ target }) => setURL(target.value)} />
        </Field>
      )}
      <Field label={kind === "stdio" ? "Secrets, as environment variables" : "Secrets, as headers"} hint={kept || "NAME=value, one a line. They are encrypted and never shown again."} error={problem?.field("secrets")}>
        <Textarea mono rows={2} value={secrets} autoComplete="off" placeholder={kind === "stdio" ? "TRACKER_TOKEN=…" : "Authorization=Bearer …"} onChange={({ target }) => setSecrets(target.value)} />
      </Field>
      <Field label="Seconds for one call" error={problem?.field("timeout_seconds")}>
        <Input inputMode="numeric" value={timeout} onChange={({ target }) => setTimeoutText(target.value)} />
      </Field>
      <Tick checked={repositories} onChange={({ target }) => setRepositories(target.checked)}>
        It is about repositories: hold its arguments to this team’s list
      </Tick>
      {kind === "http" && (
        <Tick checked={inside} onChange={({ target }) => setInside(target.checked)}>
          It may be at a private address
        </Tick>
      )}
      <Tick checked={enabled} onChange={({ target }) => setEnabled(target.checked)}>
        Connect to it
      </Tick>
      <DialogButtons>
        <Button kind="primary" size="form" type="submit" busy={save.busy}>
          {server ? "Save" : "Add"}
        </Button>
        <Button size="form" onClick={onClose}>
          Cancel
        </Button>
      </DialogButtons>
    </form>
  );
}
