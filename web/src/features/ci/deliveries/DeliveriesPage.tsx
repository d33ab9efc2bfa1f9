import { keepPreviousData, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { EmptyState, ErrorState, Notice } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { GitHubHead } from "../hooks/GitHubHead";
import { addressesPath, repositoriesPath } from "../paths";
import { connectionsQuery, deliveriesQuery, type Hook, hooksQuery } from "../queries";
import { DeliveryDrawer } from "./DeliveryDrawer";
import { DeliveryFilters } from "./DeliveryFilters";
import { DeliveryTable } from "./DeliveryTable";
import { deliveriesSearch, type DeliveriesSearch, isFiltered, unfiltered } from "./search";

/** What has come from GitHub, refused things too, and what each delivery caused. */
export function DeliveriesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const hooks = useSuspenseQuery(hooksQuery(team)).data.items;
  const connections = useSuspenseQuery(connectionsQuery(team)).data.items;
  const [search, setSearch] = useUrlState(deliveriesSearch);
  const { delivery, ...filter } = search;
  const { data, error, refetch } = useQuery({ ...deliveriesQuery(team, { ...filter, limit: 50 }), placeholderData: keepPreviousData });
  const refused = refusal(useSession(), team, "member");
  const problem = error ? asProblem(error) : undefined;
  const missing = hooks.reduce((sum, { gap }) => sum + gap.missing, 0);
  return (
    <>
      <GitHubHead team={team} title="Deliveries" meta={`what GitHub sent to ${plural(hooks.length, "webhook")} of ${team}`} />
      {missing > 0 && (
        <div className="hooks-note">
          <Notice kind="warn">{plural(missing, "delivery", "deliveries")} did not arrive and {missing === 1 ? "is" : "are"} being fetched from GitHub.</Notice>
        </div>
      )}
      <DeliveryFilters key={team} hooks={hooks} search={search} onSearch={setSearch} />
      {problem && <ErrorState what={problem.title} why={problem.detail} requestId={problem.requestId} onRetry={() => void refetch()} />}
      {data?.items.length === 0 && <Nothing team={team} hooks={hooks} connected={connections.length > 0} search={search} onAll={() => setSearch(unfiltered)} />}
      {!problem && data?.items.length !== 0 && <DeliveryTable team={team} rows={data?.items} hooks={hooks} onOpen={(id) => setSearch({ delivery: id })} />}
      <div className="pane line">
        {search.before && <Button onClick={() => setSearch({ before: undefined }, { push: true })}>Newest</Button>}
        {data?.next && <Button onClick={() => setSearch({ before: data.next }, { push: true })}>Older</Button>}
      </div>
      <DeliveryDrawer id={delivery} onClose={() => setSearch({ delivery: undefined })} team={team} hooks={hooks} refused={refused} />
    </>
  );
}

type NothingProps = { team: string; hooks: Hook[]; connected: boolean; search: DeliveriesSearch; onAll: () => void };

function Nothing({ team, hooks, connected, search, onAll }: NothingProps) {
  if (isFiltered(search)) {
    return (
      <EmptyState headline="None like that" small actions={<Button onClick={onAll}>Show all</Button>}>
        No delivery fits these filters.
      </EmptyState>
    );
  }
  const [hook] = hooks;
  if (!hook) {
    return (
      <EmptyState headline="Nothing tells this server about pushes yet" actions={<Link className="btn" to={connected ? repositoriesPath(team) : addressesPath(team)}>{connected ? "Choose repositories" : "New webhook"}</Link>}>
        What GitHub sends is listed here with its sender, body and what it caused; refused things too.
      </EmptyState>
    );
  }
  return (
    <EmptyState headline="No delivery yet" small command={`curl -i ${hook.url} -H 'X-GitHub-Event: ping' -d '{}'`} filled={[hook.url]} waiting="Waiting for the first delivery; it shows here by itself.">
      GitHub sends a ping as soon as a webhook is set up. From the network of GitHub this must answer 401, since it is not signed:
    </EmptyState>
  );
}
