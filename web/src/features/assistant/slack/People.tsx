import { useQueryClient } from "@tanstack/react-query";
import { Unlink } from "lucide-react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { IconButton } from "@/ui/Button";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { type Column, Table } from "@/ui/Table";
import type { Person } from "./queries";

/** People in Slack with who they are here. */
export function People({ people, own = false }: { people: Person[]; own?: boolean }) {
  const columns: Column<Person>[] = [
    { key: "name", head: "In Slack", lead: true, cell: ({ name, slack_user: id }) => <span title={id}>{name || id}</span> },
    { key: "user", head: "Here", said: "is", cell: ({ user }) => user || <span className="muted">may not sign in</span> },
    { key: "team", head: "Usual team", said: "means", cell: ({ team }) => team || <span className="muted">the only one</span> },
    { key: "linked", head: "Linked", said: "linked", width: 130, cell: ({ linked_at: at }) => <RelativeTime at={at} /> },
    { key: "unlink", head: "", end: true, width: 72, cell: (person) => <Forget person={person} /> },
  ];
  return <Table label={own ? "Your links" : "Linked people"} columns={columns} rows={people} rowKey={({ slack_user: id }) => id} />;
}

function Forget({ person }: { person: Person }) {
  const client = useQueryClient();
  const toast = useToast();
  const task = useTask({
    run: () => data(api.DELETE("/api/v1/assistant/slack/people/{user}", { params: { path: { user: person.slack_user } } })),
    onDone: () => {
      void client.invalidateQueries({ queryKey: ["assistant", "slack"] });
      toast({ text: `${person.name || person.slack_user} is no longer linked` });
    },
  });
  const trouble = task.error ? asProblem(task.error).message : undefined;
  return <IconButton size="small" icon={Unlink} label={trouble ?? `Unlink ${person.name || person.slack_user}`} busy={task.busy} onClick={() => void task.start()} />;
}
