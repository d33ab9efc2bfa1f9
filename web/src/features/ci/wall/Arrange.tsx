import { useQueryClient } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, GripVertical } from "lucide-react";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { request } from "@/api/client";
import { plural } from "@/format/bytes";
import { IconButton } from "@/ui/Button";
import { classes } from "@/ui/classes";
import { useFrame } from "@/ui/frame/context";
import { useTask } from "@/ui/frame/useTask";
import { Icon } from "@/ui/Icon";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { statusWord } from "@/ui/status";
import { type Pipeline, pipelinesQuery } from "../queries";
import { pipelineStatus } from "../state";
import { inOrder, moved, namesInOrder } from "./order";

type Props = { team: string; pipelines: Pipeline[]; refused: string | false };

/** The team's pipelines in its order, to be dragged or moved by buttons. Every move is saved at once. */
export function Arrange({ team, pipelines, refused }: Props) {
  const names = namesInOrder(pipelines);
  const list = useRef<HTMLOListElement>(null);
  const [dragged, setDragged] = useState<string | null>(null);
  const [pressed, setPressed] = useState<{ name: string; way: Way } | null>(null);
  const save = useOrder(team);
  const { announce } = useFrame();
  const move = (name: string, to: number) => {
    if (refused || save.busy) return;
    const next = moved(names, name, to);
    if (next.join("\n") === names.join("\n")) return;
    announce(`${name} is ${next.indexOf(name) + 1} of ${next.length}`);
    void save.start(next);
  };
  // The row went elsewhere in the page and lost the focus on its way.
  useEffect(() => {
    if (!pressed) return;
    const row = [...(list.current?.children ?? [])].find((one) => (one as HTMLElement).dataset.name === pressed.name);
    row?.querySelector<HTMLElement>(`[data-way="${pressed.way}"]`)?.focus();
  }, [pressed, pipelines]);
  const drop = (event: DragEvent, to: number) => {
    event.preventDefault();
    if (dragged) move(dragged, to);
    setDragged(null);
  };
  return (
    <>
      <p className="pane muted pb-3">Drag a pipeline to its place, or move it with its buttons. The order is everybody&apos;s; what you pinned stands before it for you.</p>
      <ol className="arrange" ref={list} aria-label="Order of the pipelines">
        {names.map((name, at) => (
          <li
            key={name}
            data-name={name}
            className={classes(dragged === name && "is-dragged")}
            draggable={!refused}
            onDragStart={(event) => {
              event.dataTransfer.effectAllowed = "move";
              setDragged(name);
            }}
            onDragEnd={() => setDragged(null)}
            onDragOver={(event) => dragged && event.preventDefault()}
            onDrop={(event) => drop(event, at)}
          >
            <Icon of={GripVertical} size="s" />
            <Named members={pipelines.filter((pipeline) => pipeline.name === name)} />
            <span className="push line">
              <IconButton size="small" icon={ArrowUp} label={`Move ${name} up`} data-way="up" refused={refused || (at === 0 && "It is the first.")} onClick={() => (setPressed({ name, way: "up" }), move(name, at - 1))} />
              <IconButton size="small" icon={ArrowDown} label={`Move ${name} down`} data-way="down" refused={refused || (at === names.length - 1 && "It is the last.")} onClick={() => (setPressed({ name, way: "down" }), move(name, at + 1))} />
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}

type Way = "up" | "down";

function Named({ members }: { members: Pipeline[] }) {
  const [first] = members;
  if (!first) return null;
  const status = pipelineStatus(first);
  return (
    <>
      {members.length === 1 && <StatusGlyph status={status} label={statusWord(status)} />}
      <span className="title clip">{first.name}</span>
      {members.length > 1 && <span className="meta">{plural(members.length, "instance")}</span>}
    </>
  );
}

/** Saves an order with the call that fly uses; the page shows it before the server has answered. */
function useOrder(team: string) {
  const client = useQueryClient();
  const { queryKey } = pipelinesQuery(team);
  return useTask({
    run: async (names: string[]) => {
      await client.cancelQueries({ queryKey });
      client.setQueryData(queryKey, (known) => known && { ...known, items: inOrder(known.items, names) });
      try {
        await request(new Request(`/api/v1/teams/${encodeURIComponent(team)}/pipelines/ordering`, { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(names) }));
      } finally {
        await client.invalidateQueries({ queryKey });
      }
    },
    failed: "The order stays as it was.",
  });
}
