import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { EmptyState, Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { GitHubHead } from "../hooks/GitHubHead";
import { type Connection, connectionsQuery } from "../queries";
import { ConnectionList } from "./ConnectionList";
import { Installations } from "./Installations";
import { NewConnection } from "./NewConnection";
import { Organizations } from "./Organizations";
import { ReachabilityOfUs } from "./ReachabilityOfUs";
import { connectionsSearch } from "./search";

/** How this server signs in at GitHub, and whether GitHub finds the way here. */
export function ConnectionsPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const connections = useSuspenseQuery(connectionsQuery(team)).data.items;
  const [search, setSearch] = useUrlState(connectionsSearch);
  const [making, setMaking] = useState(false);
  const refused = refusal(useSession(), team, "member");
  useActions([{ id: "connection.new", label: "Connect to GitHub", group: "This page", icon: Plus, refused, run: () => setMaking(true) }]);
  const connected = connections.find(({ id }) => id === search.connected);
  const choose = (installations: string | undefined) => setSearch({ installations, organizations: undefined, connected: undefined });
  const show = (what: "installations" | "organizations", id: string) => setSearch({ installations: undefined, organizations: undefined, connected: undefined, [what]: id });
  const connect = (
    <Button kind="primary" icon={Plus} refused={refused} onClick={() => setMaking(true)}>
      Connect
    </Button>
  );
  return (
    <>
      <GitHubHead team={team} title="GitHub" meta={connections.length === 0 ? `not connected to ${team}` : plural(connections.length, "connection")} actions={connect} />
      {search.problem && (
        <div className="hooks-note">
          <Notice kind="bad" actions={<Button size="small" onClick={() => setSearch({ problem: undefined })}>Dismiss</Button>}>
            The GitHub App was not connected. {search.problem}
          </Notice>
        </div>
      )}
      {connected && (
        <div className="hooks-note">
          <Notice actions={<Button size="small" onClick={() => choose(connected.id)}>Choose installation</Button>}>
            The GitHub App {connected.app_slug ?? connected.name} is made. Install it on an account, then choose that installation here.
          </Notice>
        </div>
      )}
      {connections.map((one) => one.state && <Stopped key={one.id} connection={one} onChoose={() => choose(one.id)} />)}
      {connections.length === 0 ? (
        <EmptyState
          headline="This server does not speak to GitHub yet"
          actions={
            <Button icon={Plus} refused={refused} onClick={() => setMaking(true)}>
              Connect
            </Button>
          }
        >
          Connect with a GitHub App or a personal token. Webhooks then set themselves up, a push starts its jobs within a second, and each commit shows how its builds ended.
        </EmptyState>
      ) : (
        <ConnectionList connections={connections} team={team} refused={refused} onOpen={show} />
      )}
      <ReachabilityOfUs team={team} />
      <NewConnection open={making} onClose={() => setMaking(false)} team={team} />
      <Installations connection={connections.find(({ id }) => id === search.installations)} team={team} refused={refused} onClose={() => choose(undefined)} />
      <Organizations connection={connections.find(({ id }) => id === search.organizations)} team={team} refused={refused} onClose={() => setSearch({ organizations: undefined })} />
    </>
  );
}

/** Why nothing is heard through a connection any more, and the way out of it. */
function Stopped({ connection: { name, state, problem, app_url: app }, onChoose }: { connection: Connection; onChoose: () => void }) {
  const atGitHub = app && (
    <a className="btn small" href={`${app}/installations/new`} target="_blank" rel="noreferrer">
      {state === "removed" ? "Install at GitHub" : "Open at GitHub"}
    </a>
  );
  return (
    <div className="hooks-note">
      <Notice kind={state === "removed" ? "bad" : "warn"} actions={<>{atGitHub}{state === "removed" && <Button size="small" onClick={onChoose}>Choose installation</Button>}</>}>
        <b>{name}</b>: {problem}
      </Notice>
    </div>
  );
}
