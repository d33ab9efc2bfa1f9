import { History, Trash2 } from "lucide-react";
import { bytes } from "@/format/bytes";
import { duration } from "@/format/duration";
import { IconButton } from "@/ui/Button";
import { RelativeTime } from "@/ui/RelativeTime";
import type { Status as StatusName } from "@/ui/status";
import { Status } from "@/ui/StatusGlyph";
import type { Column } from "@/ui/Table";
import type { Backup, Rehearsal } from "./queries";
import type { useBackupActs } from "./useBackupActs";

const states: Record<Backup["state"], { status: StatusName; word: string }> = {
  running: { status: "running", word: "Running" },
  whole: { status: "succeeded", word: "Whole" },
  failed: { status: "failed", word: "Failed" },
  gone: { status: "skipped", word: "Removed" },
};

const tries: Record<Rehearsal["state"], { status: StatusName; word: string }> = {
  running: { status: "running", word: "Running" },
  passed: { status: "succeeded", word: "Passed" },
  failed: { status: "failed", word: "Failed" },
};

const causes: Record<Backup["cause"], string> = { schedule: "schedule", person: "by hand", command: "command line", migration: "before a migration" };

export function backupColumns(acts: ReturnType<typeof useBackupActs>, drop: (backup: Backup) => void): Column<Backup>[] {
  return [
    { key: "state", head: "State", width: 120, lead: true, cell: (item) => <Status {...states[item.state]} /> },
    { key: "name", head: "Archive", cell: (item) => <span className="muted">{item.error ?? item.name}</span> },
    { key: "cause", head: "Why", width: 140, cell: (item) => causes[item.cause] },
    { key: "size", head: "Size", number: true, width: 88, sort: (a, b) => a.archive_bytes - b.archive_bytes, cell: (item) => (item.archive_bytes ? bytes(item.archive_bytes) : "–") },
    { key: "took", head: "Took", number: true, width: 88, said: "took", cell: (item) => (item.finished_at ? duration((Date.parse(item.finished_at) - Date.parse(item.started_at)) / 1000) : "–") },
    { key: "at", head: "Began", width: 112, sort: (a, b) => a.started_at.localeCompare(b.started_at), cell: (item) => <RelativeTime at={item.started_at} /> },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 96,
      end: true,
      cell: (item) =>
        item.state === "whole" && (
          <span className="line justify-end">
            <IconButton size="small" icon={History} label={`Rehearse ${item.name}`} onClick={() => void acts.rehearse.start(item)} />
            {item.place !== "file" && <IconButton size="small" icon={Trash2} label={`Delete ${item.name}`} onClick={() => drop(item)} />}
          </span>
        ),
    },
  ];
}

export const rehearsalColumns: Column<Rehearsal>[] = [
  { key: "state", head: "State", width: 120, lead: true, cell: (item) => <Status {...tries[item.state]} /> },
  { key: "name", head: "Archive", cell: (item) => <span className="muted">{item.error ?? item.name}</span> },
  { key: "rto", head: "RTO", number: true, width: 88, said: "RTO", cell: (item) => (item.state === "passed" ? duration(item.rto_ms / 1000) : "–") },
  { key: "rpo", head: "RPO", number: true, width: 88, said: "RPO", cell: (item) => (item.state === "passed" ? duration(item.rpo_ms / 1000) : "–") },
  { key: "at", head: "Began", width: 112, end: true, cell: (item) => <RelativeTime at={item.started_at} /> },
];
