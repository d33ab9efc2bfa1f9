import "./slack.css";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { asProblem } from "@/api/problem";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { Facts } from "@/ui/facts";
import { Field, Select } from "@/ui/Field";
import { usePage } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { PageHeader } from "@/ui/PageHeader";
import { Skeleton } from "@/ui/Skeleton";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { invitedQuery } from "./queries";

/** Says whether a person in Slack is the reader. The code stands behind #, where no server sees it. */
export function LinkPage() {
  const [code] = useState(() => window.location.hash.slice(1));
  usePage({ title: "Link your Slack account", crumbs: [{ label: "Link your Slack account" }] });
  return (
    <>
      <PageHeader title="Link your Slack account" meta="then Signalbox answers you there with your rights" />
      <div className="pane slack-page">
        {code === "" ? (
          <EmptyState headline="This address is not whole">
            Type <code>/signalbox link</code> in Slack and open the address that it shows.
          </EmptyState>
        ) : (
          <Invited code={code} />
        )}
      </div>
    </>
  );
}

function Invited({ code }: { code: string }) {
  const me = useSession();
  const invited = useQuery(invitedQuery(code));
  const [team, setTeam] = useState("");
  const [done, setDone] = useState(false);
  const link = useTask({
    run: () => data(api.POST("/api/v1/assistant/slack/link", { body: { code, team } })),
    onDone: () => setDone(true),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void link.start();
  };
  if (invited.isPending) return <Skeleton />;
  if (invited.isError) return <ErrorState what="This address links nobody." why={asProblem(invited.error).message} />;
  const { name, email, slack_user: id, workspace, now, teams } = invited.data;
  if (done)
    return (
      <EmptyState headline={`${name} is ${me.user.name} now`}>
        Ask in Slack: mention the app in a channel, or write to it directly. You can unlink with <code>/signalbox unlink</code>.
      </EmptyState>
    );
  return (
    <form onSubmit={submit} noValidate aria-label="Link">
      <Notice kind="warn">Go on only if you have typed /signalbox link yourself, just now. Whoever is linked asks with your rights.</Notice>
      <Facts
        items={[
          ["Slack workspace", workspace],
          ["Person there", `${name} (${id})`],
          ["Mail there", email || "not told"],
          ["You here", me.user.name],
        ]}
      />
      {now !== "" && now !== me.user.name && <Notice kind="warn">{`${name} is linked to ${now} now; that ends.`}</Notice>}
      {link.error !== null && <Notice kind="bad">{asProblem(link.error).message}</Notice>}
      {teams.length > 1 && (
        <Field label="Your usual team" hint="Meant in direct messages, and in channels that belong to no team.">
          <Select value={team} onValue={setTeam} options={[{ value: "", label: "none: it asks" }, ...teams.map((one) => ({ value: one, label: one }))]} />
        </Field>
      )}
      <Button kind="primary" size="form" type="submit" busy={link.busy}>
        {`Yes, ${name} is me`}
      </Button>
    </form>
  );
}
