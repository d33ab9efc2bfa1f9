import { useSuspenseQuery } from "@tanstack/react-query";
import { CalendarClock, DatabaseBackup } from "lucide-react";
import { useState } from "react";
import { bytes, count, plural } from "@/format/bytes";
import { duration } from "@/format/duration";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Dialog";
import { Drawer } from "@/ui/Drawer";
import { Facts } from "@/ui/facts";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState, Notice } from "@/ui/states";
import { Table } from "@/ui/Table";
import { text, params } from "@/ui/schema";
import { useUrlState } from "@/ui/useUrlState";
import { BackupSchedule } from "./BackupSchedule";
import { backupColumns, rehearsalColumns } from "./backupColumns";
import { type Backup, type Backups, backupsQuery, type Rehearsal } from "./queries";
import { said } from "./schedule";
import { useBackupActs } from "./useBackupActs";

const search = params({ backup: text(), rehearsal: text() });

/** What would come back, and how fast: archives of everything, when they are made, and that they were tried. */
export function BackupsPage() {
  const all = useSuspenseQuery(backupsQuery).data;
  const [{ backup: openId, rehearsal: triedId }, setUrl] = useUrlState(search);
  const [planning, setPlanning] = useState(false);
  const [doomed, setDoomed] = useState<Backup | null>(null);
  const acts = useBackupActs();
  const newest = all.items.find((item) => item.state === "whole");
  const tried = all.items.find((item) => item.state === "whole" || item.state === "failed");
  const status = tried?.state === "failed" ? "failed" : newest ? "succeeded" : "errored";
  usePage({ title: "Backups", crumbs: [{ label: "System", to: "/admin" }, { label: "Backups" }], status: status === "succeeded" ? undefined : status });
  return (
    <>
      <PageHeader
        title="Backups"
        status={status}
        meta={said(all.settings)}
        actions={
          <>
            <Button icon={CalendarClock} onClick={() => setPlanning(true)}>
              Schedule
            </Button>
            <Button kind="primary" icon={DatabaseBackup} busy={acts.make.busy || all.items.some((item) => item.state === "running")} onClick={() => void acts.make.start()}>
              Back up now
            </Button>
          </>
        }
      />
      <Standing all={all} newest={newest} />
      <div className="section-head pt-4 px-(--gutter)">
        <h2>Archives</h2>
        <span className="meta">everything but the key file, encrypted with it</span>
      </div>
      {all.items.length === 0 ? (
        <EmptyState small headline="No backup yet">
          A backup holds the database, stored files, log lines and build logs. It is made while the server works.
        </EmptyState>
      ) : (
        <Table label="Archives" columns={backupColumns(acts, setDoomed)} rows={all.items} rowKey={(item) => item.id} keyboard onOpen={(item) => setUrl({ backup: item.id }, { push: true })} />
      )}
      <div className="section-head pt-4 px-(--gutter)">
        <h2>Rehearsals</h2>
        <span className="meta">restored into a scratch place, counted, compared, thrown away</span>
      </div>
      {all.rehearsals.length === 0 ? (
        <EmptyState small headline="None was ever restored for a try">A backup that nobody has restored is a hope. Press Rehearse beside one.</EmptyState>
      ) : (
        <Table label="Rehearsals" columns={rehearsalColumns} rows={all.rehearsals} rowKey={(item) => item.id} onOpen={(item) => setUrl({ rehearsal: item.id }, { push: true })} />
      )}
      <BackupDrawer backup={all.items.find((item) => item.id === openId)} onClose={() => setUrl({ backup: undefined })} />
      <RehearsalDrawer rehearsal={all.rehearsals.find((item) => item.id === triedId)} onClose={() => setUrl({ rehearsal: undefined })} />
      <BackupSchedule open={planning} settings={all.settings} onClose={() => setPlanning(false)} />
      <Confirm
        open={doomed !== null}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed && void acts.remove.start(doomed).then(() => setDoomed(null))}
        title="Delete this backup?"
        act="Delete"
        busy={acts.remove.busy}
      >
        {doomed?.name} cannot be brought back. Its line stays in the history.
      </Confirm>
    </>
  );
}

/** What holds today, in the words people ask for. */
function Standing({ all, newest }: { all: Backups; newest?: Backup }) {
  const passed = all.rehearsals.find((item) => item.state === "passed");
  return (
    <div className="px-(--gutter) py-3 grid gap-3">
      <Facts
        items={[
          ["Would be lost now (RPO)", newest?.state_at ? <span key="rpo">what came after <RelativeTime at={newest.state_at} /></span> : "everything"],
          ["Back again in (RTO)", passed ? <span key="rto">{duration(passed.rto_ms / 1000)}, measured <RelativeTime at={passed.started_at} /></span> : "not measured: rehearse a backup"],
          ["Next", all.next_at ? <RelativeTime key="next" at={all.next_at} /> : "none is planned"],
          ["Goes to", <code key="where" className="break-all">{all.where}</code>],
        ]}
      />
      <Notice kind="warn">
        <span>
          The key file <code className="break-all">{all.key_file}</code> is in no backup, and without it none can be read. Keep a copy in another place.
        </span>
      </Notice>
    </div>
  );
}

function BackupDrawer({ backup, onClose }: { backup?: Backup; onClose: () => void }) {
  return (
    <Drawer open={backup !== undefined} onClose={onClose} title="Backup">
      {backup && (
        <>
          <section>
            <Facts
              items={[
                ["Name", <code key="name" className="break-all">{backup.name}</code>],
                ["Holds", backup.kind === "everything" ? "everything" : "the database alone"],
                ["State of", backup.state_at ? <RelativeTime key="at" at={backup.state_at} /> : undefined],
                ["Made by", backup.actor || backup.cause],
                ["Archive", bytes(backup.archive_bytes)],
                ["Content", `${bytes(backup.content_bytes)} in ${plural(backup.parts, "part")}`],
                ["Rows", count(backup.rows)],
                ["Schema", backup.schema],
                ["Missing", backup.missing > 0 ? plural(backup.missing, "stored file") : "nothing"],
              ]}
            />
          </section>
          {backup.error && (
            <section>
              <h3 className="micro">Error</h3>
              <p className="quote">{backup.error}</p>
            </section>
          )}
        </>
      )}
    </Drawer>
  );
}

function RehearsalDrawer({ rehearsal, onClose }: { rehearsal?: Rehearsal; onClose: () => void }) {
  return (
    <Drawer open={rehearsal !== undefined} onClose={onClose} title="Rehearsal">
      {rehearsal && (
        <>
          {rehearsal.error && (
            <section>
              <h3 className="micro">Why it failed</h3>
              <p className="quote">{rehearsal.error}</p>
            </section>
          )}
          <section>
            <Facts
              items={[
                ["Archive", <code key="name" className="break-all">{rehearsal.name}</code>],
                ["RTO", rehearsal.state === "passed" ? duration(rehearsal.rto_ms / 1000) : undefined],
                ["RPO", rehearsal.state === "passed" ? duration(rehearsal.rpo_ms / 1000) : undefined],
                ["By", rehearsal.actor],
              ]}
            />
          </section>
          <section>
            <h3 className="micro">What was done</h3>
            <Facts items={rehearsal.steps.map((step) => [step.name, `${step.detail} (${duration(step.took_ms / 1000)})`])} />
          </section>
        </>
      )}
    </Drawer>
  );
}
