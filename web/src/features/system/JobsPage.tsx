import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { RotateCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { number, params, text } from "@/ui/schema";
import { api } from "@/api/client";
import { plural } from "@/format/bytes";
import { Button, IconButton } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Confirm } from "@/ui/Dialog";
import { Drawer } from "@/ui/Drawer";
import { Facts } from "@/ui/facts";
import { usePage, useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { type Column, Table } from "@/ui/Table";
import { useUrlState } from "@/ui/useUrlState";
import { type DeadJob, deadJobsQuery } from "./queries";

const search = params({
  job: text(),
  before: number(),
});

/** Work that was tried as often as it may be, and rests here until a person decides. */
export function JobsPage() {
  const [{ job: openId, before }, setUrl] = useUrlState(search);
  const { items: jobs, next } = useSuspenseQuery(deadJobsQuery(before)).data;
  const open = jobs.find((job) => job.id === openId);
  const [doomed, setDoomed] = useState<DeadJob | null>(null);
  const acts = useJobActs();
  usePage({ title: "Dead letters", crumbs: [{ label: "System", to: "/admin" }, { label: "Dead letters" }], status: jobs.length > 0 ? "errored" : undefined });
  const show = (job: DeadJob) => setUrl({ job: job.id }, { push: true });
  const retryAll = async () => {
    for (const job of jobs) await acts.retry.start(job);
  };
  return (
    <>
      <PageHeader
        title="Dead letters"
        status={jobs.length > 0 ? "errored" : undefined}
        meta={jobs.length > 0 ? `${plural(jobs.length, "job")} gave up` : "jobs that gave up"}
        actions={
          jobs.length > 1 && (
            <Button icon={RotateCw} busy={acts.retry.busy} onClick={() => void retryAll()}>
              Retry all {jobs.length}
            </Button>
          )
        }
      />
      {jobs.length === 0 ? (
        <EmptyState headline="No dead letters">A job that fails on its last attempt rests here with its error, to be tried again or dropped. None does.</EmptyState>
      ) : (
        <Table label="Dead letters" columns={jobColumns(acts, setDoomed, show)} rows={jobs} rowKey={(job) => job.id} keyboard onOpen={show} />
      )}
      {(before || next) && (
        <div className="pane line">
          {before && <Button onClick={() => setUrl({ before: undefined }, { push: true })}>Newest</Button>}
          {next && <Button onClick={() => setUrl({ before: Number(next) }, { push: true })}>Older</Button>}
        </div>
      )}
      <JobDrawer job={open} onClose={() => setUrl({ job: undefined })} />
      <Confirm
        open={doomed !== null}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed && void acts.drop.start(doomed).then(() => setDoomed(null))}
        title={`Drop this ${doomed?.kind ?? ""} job?`}
        act="Drop"
        busy={acts.drop.busy}
      >
        What it was to do will not be done. This cannot be undone.
      </Confirm>
    </>
  );
}

function useJobActs() {
  const client = useQueryClient();
  const toast = useToast();
  const refresh = () => client.invalidateQueries({ queryKey: ["system", "jobs"] });
  const retry = useTask({
    run: (job: DeadJob) => api.POST("/api/v1/system/jobs/dead/{id}/retry", { params: { path: { id: job.id } } }),
    failed: "The job was not queued.",
    onDone: (_, job) => {
      toast({ text: `${job.kind} is queued again` });
      void refresh();
    },
  });
  const drop = useTask({
    run: (job: DeadJob) => api.DELETE("/api/v1/system/jobs/dead/{id}", { params: { path: { id: job.id } } }),
    failed: "The job is still there.",
    onDone: (_, job) => {
      toast({ text: `${job.kind} is dropped` });
      void refresh();
    },
  });
  return { retry, drop };
}

function jobColumns({ retry }: ReturnType<typeof useJobActs>, drop: (job: DeadJob) => void, show: (job: DeadJob) => void): Column<DeadJob>[] {
  return [
    {
      key: "kind",
      head: "Kind",
      width: 200,
      lead: true,
      sort: (a, b) => a.kind.localeCompare(b.kind),
      cell: (job) => (
        <button type="button" className="title" onClick={() => show(job)}>
          {job.kind}
        </button>
      ),
    },
    { key: "error", head: "Error", cell: (job) => <span className="muted">{job.error}</span> },
    { key: "attempts", head: "Tries", number: true, width: 80, sort: (a, b) => a.attempts - b.attempts, cell: (job) => job.attempts },
    { key: "failed", head: "Gave up", width: 112, sort: (a, b) => a.failed_at.localeCompare(b.failed_at), cell: (job) => <RelativeTime at={job.failed_at} /> },
    {
      key: "acts",
      head: <span className="sr">Actions</span>,
      width: 96,
      end: true,
      cell: (job) => (
        <span className="line justify-end">
          <IconButton size="small" icon={RotateCw} label={`Retry ${job.kind}`} onClick={() => void retry.start(job)} />
          <IconButton size="small" icon={Trash2} label={`Drop ${job.kind}`} onClick={() => drop(job)} />
        </span>
      ),
    },
  ];
}

function JobDrawer({ job, onClose }: { job?: DeadJob; onClose: () => void }) {
  return (
    <Drawer open={job !== undefined} onClose={onClose} title={job?.kind ?? ""}>
      {job && (
        <>
          <section>
            <Facts
              items={[
                ["Id", <code key="id">{job.id}</code>],
                ["Key", job.unique_key ? <code key="key">{job.unique_key}</code> : undefined],
                ["Tries", job.attempts],
                ["Created", <RelativeTime key="created" at={job.created_at} />],
                ["Gave up", <RelativeTime key="failed" at={job.failed_at} />],
              ]}
            />
          </section>
          <section>
            <h3 className="micro">Error</h3>
            <p className="quote">{job.error}</p>
          </section>
          <section>
            <h3 className="micro">Payload</h3>
            <CodeBlock label="Payload" code={JSON.stringify(job.payload ?? null, null, 2)} />
          </section>
        </>
      )}
    </Drawer>
  );
}
