import "../assistant.css";
import "./slack.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { may, useSession } from "@/api/session";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { AssistantContext } from "../AssistantContext";
import { assistantPath } from "../paths";
import { Channels } from "./Channels";
import { Digests } from "./Digests";
import { People } from "./People";
import { mineQuery, peopleQuery } from "./queries";
import { Workspace } from "./Workspace";

/** Slack: the workspace for administrators, channels and digests for owners, and who the reader is there. */
export function SlackPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const me = useSession();
  usePage({ title: "Slack", crumbs: [{ label: "Assistant", to: assistantPath(team) }, { label: "Slack" }] });
  return (
    <>
      <AssistantContext team={team} />
      <PageHeader title="Slack" meta="it answers there as the person who asks" />
      <div className="pane slack-page">
        <Mine />
        {may(me, team, "owner") && <Channels team={team} />}
        {may(me, team, "owner") && <Digests team={team} />}
        {me.user.is_admin && <Workspace />}
        {me.user.is_admin && <Everybody />}
      </div>
    </>
  );
}

function Mine() {
  const people = useSuspenseQuery(mineQuery()).data.items;
  return (
    <section aria-label="You in Slack">
      <div className="section-head">
        <h2>You</h2>
      </div>
      {people.length === 0 ? (
        <p className="muted">
          You are not linked to anybody in Slack. Type <code>/signalbox link</code> there and open the address that it shows.
        </p>
      ) : (
        <People people={people} own />
      )}
    </section>
  );
}

function Everybody() {
  const people = useSuspenseQuery(peopleQuery()).data.items;
  return (
    <section aria-label="Linked people">
      <div className="section-head">
        <h2>Linked people</h2>
      </div>
      {people.length === 0 ? <p className="muted">Nobody yet.</p> : <People people={people} />}
    </section>
  );
}
