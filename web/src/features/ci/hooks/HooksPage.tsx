import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { EmptyState } from "@/ui/states";
import { repositoriesPath } from "../paths";
import { connectionsQuery, hooksQuery } from "../queries";
import { GitHubHead } from "./GitHubHead";
import { HookList } from "./HookList";
import { NewHook } from "./NewHook";

/** The addresses that GitHub posts to, and whether each is alive. */
export function HooksPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const hooks = useSuspenseQuery(hooksQuery(team)).data.items;
  const connections = useSuspenseQuery(connectionsQuery(team)).data.items;
  const [making, setMaking] = useState(false);
  const refused = refusal(useSession(), team, "member");
  useActions([{ id: "hook.new", label: "New webhook", group: "This page", icon: Plus, refused, run: () => setMaking(true) }]);
  return (
    <>
      <GitHubHead
        team={team}
        title="Webhooks"
        meta={hooks.length === 0 ? `none in ${team}` : `${plural(hooks.length, "address", "addresses")} of ${team} that GitHub posts to`}
        actions={
          <Button kind="primary" icon={Plus} refused={refused} onClick={() => setMaking(true)}>
            New webhook
          </Button>
        }
      />
      {hooks.length === 0 ? (
        <EmptyState
          headline="Nothing tells this server about pushes yet"
          actions={
            connections.length > 0 ? (
              <Link className="btn" to={repositoriesPath(team)}>
                Choose repositories
              </Link>
            ) : (
              <Button icon={Plus} refused={refused} onClick={() => setMaking(true)}>
                New webhook
              </Button>
            )
          }
        >
          With a connection, webhooks set themselves up under Repositories. Without one, a new webhook gives you an address and a secret to enter at GitHub. A push then starts its jobs within a second instead of at the next check.
        </EmptyState>
      ) : (
        <HookList hooks={hooks} connections={connections} team={team} refused={refused} />
      )}
      <NewHook open={making} onClose={() => setMaking(false)} team={team} connections={connections} />
    </>
  );
}
