import "./assistant.css";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Download, ThumbsDown, ThumbsUp } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useSession } from "@/api/session";
import { IconButton } from "@/ui/Button";
import { usePage, useToast } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { Answer } from "./Answer";
import { AskBox } from "./AskBox";
import { AssistantContext } from "./AssistantContext";
import { RunApprovals } from "./approvals/RunApprovals";
import { assistantPath } from "./paths";
import { caseOf, type Run, runQuery } from "./queries";
import { Replays } from "./run/Replays";
import { showStep, Timeline } from "./run/Timeline";
import { effort, pageWord, plannerWord, statusOf, surfaceWord, used } from "./words";

/** One question: its answer, how it was read, and what was looked up. */
export function RunPage() {
  const { team, run: id } = useParams({ strict: false }) as { team: string; run: string };
  const run = useSuspenseQuery(runQuery(id)).data;
  const base = useSession().public_url;
  usePage({ title: run.question || "Question", status: statusOf(run), crumbs: [{ label: "Assistant", to: assistantPath(team) }, { label: run.question || "Question" }] });
  const unverified = run.answer.unverified ?? [];
  const running = run.status === "running";
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader title={run.question || "(nothing)"} status={statusOf(run)} meta={running ? "looking it up" : effort(run)} actions={<Acts key={run.id} run={run} />} />
      <div className="pane assistant-run">
        <p className="meta">
          {run.person} asked in {surfaceWord(run)} <RelativeTime at={run.started_at} />
          {run.page?.kind && <> · at {pageWord(run.page)}</>}
          {run.reading && <> · read as: {run.reading}</>}
        </p>
        {running ? <p role="status">Looking it up…</p> : <Answer text={run.answer.text} base={base} grounds={run.answer.grounds} onRef={showStep} />}
        <RunApprovals team={team} approvals={run.approvals} />
        {unverified.length > 0 && <Notice kind="warn">Not found in what was looked up: {unverified.join(", ")}</Notice>}
        {(run.scrubbed ?? 0) > 0 && <Notice kind="warn">{run.scrubbed === 1 ? "One secret was" : `${run.scrubbed} secrets were`} taken out of results and the answer.</Notice>}
        {!running && <AskBox key={run.id} team={team} thread={run.thread} label="Ask on in this conversation" examples={run.answer.try} />}
        <Timeline run={run} />
        <p className="meta">
          {plannerWord(run)}
          {used(run) && <> · {used(run)}</>}
          {run.prompt_version && <> · prompt {run.prompt_version}</>}
          {run.settings_at && (
            <>
              {" "}
              · settings of <RelativeTime at={run.settings_at} />
            </>
          )}
        </p>
        {!running && !run.replay_of && <Replays run={run} base={base} />}
      </div>
    </>
  );
}

function Acts({ run }: { run: Run }) {
  const [given, setGiven] = useState(run.feedback);
  const client = useQueryClient();
  const toast = useToast();
  const rate = async (feedback: number) => {
    const next = given === feedback ? 0 : feedback;
    try {
      await data(api.POST("/api/v1/assistant/runs/{id}/feedback", { params: { path: { id: run.id } }, body: { feedback: next } }));
      setGiven(next);
      void client.invalidateQueries({ queryKey: runQuery(run.id).queryKey });
    } catch {
      toast({ text: "That could not be kept" });
    }
  };
  const download = async () => {
    try {
      const { file, yaml } = await caseOf(run.id);
      save(file, yaml);
    } catch {
      toast({ text: "The case could not be written", kind: "bad" });
    }
  };
  return (
    <>
      <IconButton icon={Download} label="Export as a test case" refused={run.status === "running" && "It is still being answered."} onClick={() => void download()} />
      <IconButton icon={ThumbsUp} label="It helped" aria-pressed={given === 1} onClick={() => void rate(1)} />
      <IconButton icon={ThumbsDown} label="It did not help" aria-pressed={given === -1} onClick={() => void rate(-1)} />
    </>
  );
}

function save(file: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = file;
  link.click();
  URL.revokeObjectURL(url);
}
