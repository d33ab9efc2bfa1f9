import "./hooks.css";
import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions, usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EmptyState } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { wallPath } from "../paths";
import { connectionsQuery, hooksQuery } from "../queries";
import { Connections } from "./Connections";
import { Deliveries } from "./Deliveries";
import { DeliveryDrawer } from "./DeliveryDrawer";
import { HookList } from "./HookList";
import { NewConnection } from "./NewConnection";
import { NewHook } from "./NewHook";
import { hooksSearch } from "./search";

/** What GitHub sends to this team, and how this server speaks to GitHub. */
export function HooksPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const hooks = useSuspenseQuery(hooksQuery(team)).data.items;
  const connections = useSuspenseQuery(connectionsQuery(team)).data.items;
  const [search, setSearch] = useUrlState(hooksSearch);
  const [making, setMaking] = useState<"hook" | "connection" | null>(null);
  const refused = refusal(useSession(), team, "member");
  usePage({ title: "Webhooks", crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: "Webhooks" }] });
  useActions([
    { id: "hook.new", label: "New webhook", group: "This page", icon: Plus, refused, run: () => setMaking("hook") },
    { id: "connection.new", label: "Connect to GitHub", group: "This page", icon: Plus, refused, run: () => setMaking("connection") },
  ]);
  const close = () => setMaking(null);
  return (
    <>
      <PageHeader
        title="Webhooks"
        meta={hooks.length === 0 ? `none in ${team}` : `${plural(hooks.length, "address", "addresses")} of ${team} that GitHub posts to`}
        actions={
          <Button kind="primary" icon={Plus} refused={refused} onClick={() => setMaking("hook")}>
            New webhook
          </Button>
        }
      />
      {hooks.length === 0 ? (
        <EmptyState
          headline="Nothing tells this server about pushes yet"
          actions={
            <Button icon={Plus} refused={refused} onClick={() => setMaking("hook")}>
              New webhook
            </Button>
          }
        >
          A webhook gives you an address and a secret. Enter both at GitHub, and a push starts its jobs within a second instead of at the next check.
        </EmptyState>
      ) : (
        <HookList hooks={hooks} connections={connections} team={team} refused={refused} onDeliveries={(hook) => setSearch({ hook, before: undefined, state: undefined })} />
      )}
      <Connections connections={connections} team={team} refused={refused} onNew={() => setMaking("connection")} />
      {hooks.length > 0 && <Deliveries team={team} hooks={hooks} search={search} onSearch={setSearch} />}
      <NewHook open={making === "hook"} onClose={close} team={team} connections={connections} />
      <NewConnection open={making === "connection"} onClose={close} team={team} />
      <DeliveryDrawer id={search.delivery} onClose={() => setSearch({ delivery: undefined })} team={team} refused={refused} />
    </>
  );
}
