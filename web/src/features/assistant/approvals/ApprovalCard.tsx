import "./approvals.css";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, X } from "lucide-react";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { classes } from "@/ui/classes";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Chip, Facts } from "@/ui/facts";
import { Field, Textarea } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import { RelativeTime } from "@/ui/RelativeTime";
import { Notice } from "@/ui/states";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { runPath } from "../paths";
import { approvalPath } from "./paths";
import { type Approval, approve, deny } from "./queries";
import { askedIn, ending, headline, standing } from "./words";

type Props = { team: string; approval: Approval; /** Its own page shows all of it, and links to no page. */ whole?: boolean };

/** A call that waits for a person: what it is about, exactly what it is called with, what it does. */
export function ApprovalCard({ team, approval, whole }: Props) {
  const { status, word } = standing(approval.state);
  const waits = approval.state === "pending";
  return (
    <article className={classes("card assistant-approval", waits && "asks", approval.state === "failed" && "is-failed")} aria-label={headline(approval)}>
      <header>
        <StatusGlyph status={status} label={word} />
        <h2 className="min-w-0">{whole ? headline(approval) : <Link to={approvalPath(team, approval.id)}>{headline(approval)}</Link>}</h2>
        <span className="push">{approval.class === "destructive" && <Chip kind="warn">loses something</Chip>}</span>
      </header>
      <div className="body">
        <p className="muted">{approval.effect}</p>
        <Facts
          items={[
            ["Tool", <code key="tool">{approval.tool}</code>],
            ...(approval.target ? [["About", approval.url ? <a key="about" className="link" href={approval.url}>{approval.target}</a> : approval.target] as [string, React.ReactNode]] : []),
            ...approval.words.map(({ name, value }) => [`With ${name}`, <span key={name} className="value">{value}</span>] as [string, React.ReactNode]),
            ...approval.was.map(({ name, value }) => [`While ${name.replace(/[._]/g, " ")} is`, <span key={name} className="value">{value}</span>] as [string, React.ReactNode]),
          ]}
        />
        <p className="meta">
          {approval.proposer} asked for it {askedIn(approval.surface)} <RelativeTime at={approval.created_at} />
          {approval.run && (
            <>
              {" · "}
              <Link className="link underline" to={runPath(team, approval.run)}>the question</Link>
            </>
          )}
          {waits && (
            <>
              {" · expires "}
              <RelativeTime at={approval.expires_at} />
            </>
          )}
        </p>
        {!waits && <Ending approval={approval} />}
        {whole && <CodeBlock label="Exact arguments" code={JSON.stringify(approval.args, null, 2)} />}
      </div>
      {waits && <Decide approval={approval} />}
    </article>
  );
}

function Ending({ approval }: { approval: Approval }) {
  return (
    <>
      <p>
        {ending(approval)} {approval.decided_at && <RelativeTime at={approval.decided_at} />}
      </p>
      {approval.outcome && <CodeBlock label="Outcome" code={pretty(approval.outcome)} wrap />}
    </>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // a sentence, or an answer that was cut
  }
}

function Decide({ approval }: { approval: Approval }) {
  const client = useQueryClient();
  const [denying, setDenying] = useState(false);
  const [reason, setReason] = useState("");
  const stale = () => void client.invalidateQueries({ queryKey: ["assistant"] });
  const yes = useTask({ run: () => approve(approval.id), onDone: stale });
  const no = useTask({
    run: () => deny(approval.id, reason.trim()),
    onDone: () => {
      setDenying(false);
      stale();
    },
  });
  const failed = yes.error ?? no.error;
  const refused = approval.refusal || false;
  return (
    <footer>
      <Button kind="primary" icon={Check} busy={yes.busy} refused={refused} onClick={() => void yes.start()}>
        Approve
      </Button>
      <Button icon={X} refused={refused} onClick={() => setDenying(true)}>
        Deny
      </Button>
      <span className="meta min-w-0">{failed ? <Notice kind="bad">{asProblem(failed).message}</Notice> : approval.refusal || "It is done in your name, once."}</span>
      <Dialog
        open={denying}
        onClose={() => setDenying(false)}
        title={`Deny “${headline(approval)}”?`}
        description="Nothing is done then, and it cannot be approved any more."
        onSubmit={(event) => {
          event.preventDefault();
          void no.start();
        }}
      >
        <Field label="Why" hint="Who asked for it reads this. It may stay empty.">
          <Textarea rows={2} maxLength={500} value={reason} onChange={({ target }) => setReason(target.value)} />
        </Field>
        <DialogButtons>
          <Button kind="danger" size="form" type="submit" busy={no.busy}>
            Deny
          </Button>
          <Button size="form" onClick={() => setDenying(false)}>
            Keep waiting
          </Button>
        </DialogButtons>
      </Dialog>
    </footer>
  );
}
