import { useQuery, useQueryClient } from "@tanstack/react-query";
import { FileUp, Trash2 } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { Link } from "@tanstack/react-router";
import { api, data, done } from "@/api/client";
import { asProblem } from "@/api/problem";
import { count, plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Field, Textarea } from "@/ui/Field";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { Fingerprint } from "../Fingerprint";
import { nodePath } from "../paths";
import { expectedQuery } from "../queries";
import { labelsText } from "./commands";
import { type Expected, readList } from "./expected";

/** Machines whose keys are known beforehand, as from a supplier's list: they need no person when they come. */
export function ExpectedMachines({ team, refused }: { team: string; refused: string | false }) {
  const items = useQuery(expectedQuery(team)).data?.items;
  const [text, setText] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const list = readList(text);
  const client = useQueryClient();
  const toast = useToast();
  const stale = () => void client.invalidateQueries({ queryKey: expectedQuery(team).queryKey });
  const upload = useTask({
    run: () => data(api.POST("/api/v1/edge/expected", { body: { team, items: list.items } })),
    onDone: () => {
      toast({ text: `${plural(list.items.length, "machine")} expected` });
      setText("");
      stale();
    },
  });
  const forget = useTask({ run: ({ fingerprint }: Expected) => done(api.DELETE("/api/v1/edge/expected/{fingerprint}", { params: { path: { fingerprint }, query: { team } } })), failed: "It is still expected.", onDone: stale });
  const problem = upload.error ? asProblem(upload.error) : undefined;
  const wrong = list.wrong[0];
  const blocked = refused || (wrong && `Line ${wrong.line} does not begin with a fingerprint.`) || (list.items.length === 0 && "Give fingerprints first.");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!blocked) void upload.start();
  };
  return (
    <>
      <section className="edge-part" aria-label="Machines expected">
        <h2>Machines expected</h2>
        <p className="muted mb-2">Machines whose keys are known beforehand are let in as they come with a token, and nobody has to compare anything. Each line is a fingerprint, then its name, site and labels if they shall be other than what it says.</p>
        <form className="grid gap-3 max-w-[860px]" onSubmit={submit}>
          {problem && <Notice kind="bad">{problem.fields[0] ? `${problem.fields[0].field}: ${problem.fields[0].message}` : problem.message}</Notice>}
          <Field label="Fingerprints" error={wrong && `Line ${wrong.line}, "${wrong.text}", does not begin with a fingerprint: eight groups of four, as signalbox-agent shows them.`} hint={list.items.length > 0 ? plural(list.items.length, "machine") : "One on a line; a table saved as CSV will do."}>
            <Textarea mono rows={3} value={text} spellCheck={false} placeholder="6bb2:62e7:0011:2233:4455:6677:8899:aabb edge-7 osl role=edge-node" onChange={({ target }) => setText(target.value)} />
          </Field>
          <div className="line">
            <Button type="submit" busy={upload.busy} refused={blocked}>
              {list.items.length > 1 ? `Expect ${count(list.items.length)}` : "Expect"}
            </Button>
            <Button icon={FileUp} refused={refused} onClick={() => file.current?.click()}>
              From a file
            </Button>
            <input
              ref={file}
              type="file"
              accept=".txt,.csv,text/plain,text/csv"
              hidden
              aria-label="File of fingerprints"
              onChange={({ target }) => {
                const chosen = target.files?.[0];
                target.value = "";
                if (chosen) void chosen.text().then(setText);
              }}
            />
          </div>
        </form>
      </section>
      {items && items.length > 0 && <Table label="Machines expected" columns={columns(team, refused, (one) => void forget.start(one))} rows={items} rowKey={({ fingerprint }) => fingerprint} />}
    </>
  );
}

const columns = (team: string, refused: string | false, onForget: (one: Expected) => void): Column<Expected>[] => [
  { key: "print", head: "Fingerprint", lead: true, cell: ({ fingerprint }) => <Fingerprint of={fingerprint} /> },
  { key: "name", head: "Name", said: "named", width: "14%", cell: ({ name }) => name || <span className="muted">as it says</span> },
  { key: "site", head: "Site", said: "at", width: 110, cell: ({ site }) => site || <span className="muted">as its token</span> },
  { key: "labels", head: "Labels", width: "16%", cell: ({ labels }) => labelsText(labels) || <span className="muted">none</span> },
  { key: "state", head: "State", width: 130, cell: ({ node }) => (node ? <Link to={nodePath(team, node)}><Status status="succeeded" word="has come" /></Link> : <Status status="pending" word="awaited" />) },
  { key: "ends", head: "Until", said: "until", width: 120, cell: ({ expires_at: at }) => <RelativeTime at={at} /> },
  { key: "acts", head: <span className="sr">Acts</span>, width: 56, end: true, cell: (one) => <IconButton size="small" icon={Trash2} label={`Expect ${one.name || one.fingerprint} no more`} refused={refused} onClick={() => onForget(one)} /> },
];
