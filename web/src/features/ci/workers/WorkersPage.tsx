import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Pause, Play, Trash2 } from "lucide-react";
import { useState } from "react";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Progress } from "@/ui/facts";
import { useActions } from "@/ui/frame/hooks";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, Notice } from "@/ui/states";
import { Status } from "@/ui/StatusGlyph";
import { type Column, Table } from "@/ui/Table";
import { workersQuery } from "../queries";
import { useAdminRefusal, useLanding, usePrune } from "./acts";
import { capacity, disk, type Gauge, isLanding, pruneRefusal, type Worker, workerState } from "./state";
import { WorkersFrame } from "./WorkersFrame";

/** Where builds run, how full it is, and what is missing when they cannot. */
export function WorkersPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const workers = useSuspenseQuery({ ...workersQuery, refetchInterval: 10_000 }).data.items;
  const [doomed, setDoomed] = useState<Worker | null>(null);
  const stalled = workers.filter((worker) => worker.message && !isLanding(worker));
  const running = workers.reduce((sum, worker) => sum + (worker.running ?? worker.containers), 0);
  const refused = useAdminRefusal();
  const landing = useLanding();
  const prune = usePrune(() => setDoomed(null));
  useActions(
    workers.map((worker) => ({ id: `worker.land.${worker.name}`, label: isLanding(worker) ? `Let ${worker.name} take builds again` : `Land ${worker.name}`, group: "This page", also: "drain stop", refused, run: () => void landing.start(worker, !isLanding(worker)) })),
  );
  return (
    <WorkersFrame team={team} title="Workers" status={stalled.length > 0 ? "errored" : undefined} meta={workers.length === 0 ? "nothing runs builds" : `${plural(workers.length, "worker")}, ${plural(running, "step runs", "steps run")} now`}>
      {stalled.length > 0 && (
        <div className="pane grid gap-2 pb-3">
          {stalled.map(({ name, message }) => (
            <Notice key={name} kind="bad">
              <b>{name}</b> starts no containers: {message}
            </Notice>
          ))}
        </div>
      )}
      {workers.length === 0 ? (
        <EmptyState headline="No worker" command="signalbox doctor" commandLabel="Command">
          This server runs builds itself where containers can be started. The doctor says what is missing.
        </EmptyState>
      ) : (
        <Table label="Workers" rows={workers} rowKey={({ name }) => name} columns={columns({ refused, busy: landing.busy, onLand: (worker) => void landing.start(worker, !isLanding(worker)), onPrune: setDoomed })} keyboard />
      )}
      <Confirm open={doomed !== null} onClose={() => setDoomed(null)} onConfirm={() => doomed && void prune.start(doomed)} title={`Prune ${doomed?.name ?? ""}?`} act="Prune" busy={prune.busy}>
        {doomed?.state === "stalled" ? "It is forgotten, for its server is gone. One that comes back is listed again." : "Its caches are removed from the disk. Nothing runs on it; the next builds fetch their images and versions again."}
      </Confirm>
    </WorkersFrame>
  );
}

type Acts = { refused: string | false; busy: boolean; onLand: (worker: Worker) => void; onPrune: (worker: Worker) => void };

function columns({ refused, busy, onLand, onPrune }: Acts): Column<Worker>[] {
  return [
    { key: "name", head: "Worker", lead: true, sort: (a, b) => a.name.localeCompare(b.name), cell: ({ name }) => <span className="title">{name}</span> },
    { key: "state", head: "State", width: 208, cell: (worker) => <Status {...workerState(worker)} /> },
    { key: "running", head: "Running", said: "running", width: 128, cell: (worker) => <Bar gauge={capacity(worker)} label={`Steps that run on ${worker.name}`} /> },
    { key: "disk", head: "Disk", said: "disk", width: 160, cell: (worker) => <Bar gauge={disk(worker)} label={`Disk of ${worker.name}`} /> },
    { key: "containers", head: "Containers", said: "containers", width: 96, number: true, cell: ({ containers }) => containers },
    { key: "volumes", head: "Volumes", said: "volumes", width: 88, number: true, cell: ({ volumes }) => volumes },
    { key: "seen", head: "Last seen", said: "seen", width: 96, cell: ({ last_seen: at }) => (at ? <RelativeTime at={at} /> : "now") },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 136,
      end: true,
      cell: (worker) => (
        <span className="line justify-end">
          <Button size="small" icon={isLanding(worker) ? Play : Pause} refused={refused} busy={busy} tip={isLanding(worker) ? "Take builds again" : "Finish what runs, take nothing new"} onClick={() => onLand(worker)}>
            {isLanding(worker) ? "Resume" : "Land"}
          </Button>
          <IconButton size="small" icon={Trash2} label={`Prune ${worker.name}`} refused={refused || pruneRefusal(worker)} onClick={() => onPrune(worker)} />
        </span>
      ),
    },
  ];
}

function Bar({ gauge, label }: { gauge: Gauge | undefined; label: string }) {
  if (!gauge) return <span className="muted">unknown</span>;
  return (
    <span className="grid gap-1">
      <span className="justify-self-start">{gauge.word}</span>
      {gauge.value > 0 && <Progress value={gauge.value} label={`${label}: ${gauge.word}`} />}
    </span>
  );
}
