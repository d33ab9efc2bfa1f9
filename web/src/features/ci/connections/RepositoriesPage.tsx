import { keepPreviousData, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useRef } from "react";
import { asProblem } from "@/api/problem";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { Input, Select } from "@/ui/Field";
import { useActions } from "@/ui/frame/hooks";
import { EmptyState, ErrorState } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { GitHubHead } from "../hooks/GitHubHead";
import { hooksPath } from "../paths";
import { connectionsQuery } from "../queries";
import { repositoriesQuery } from "./queries";
import { RepositoryTable } from "./RepositoryTable";
import { repositoriesSearch } from "./search";

/** The repositories that a connection reaches; each gets its webhook by one press. */
export function RepositoriesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const connections = useSuspenseQuery(connectionsQuery(team)).data.items;
  const [search, setSearch] = useUrlState(repositoriesSearch);
  const refused = refusal(useSession(), team, "member");
  const connection = connections.find(({ id }) => id === search.connection) ?? connections[0];
  const field = useRef<HTMLInputElement>(null);
  useActions([{ id: "repositories.find", label: "Find a repository", group: "This page", keys: "/", icon: Search, run: () => field.current?.focus() }]);
  const query = { ...repositoriesQuery(team, connection?.id ?? "", search.q, search.page), enabled: connection !== undefined, placeholderData: keepPreviousData };
  const { data, error, refetch, isPlaceholderData } = useQuery(query);
  const problem = error ? asProblem(error) : undefined;
  if (!connection) {
    return (
      <>
        <GitHubHead team={team} title="Repositories" />
        <EmptyState headline="Connect GitHub first" actions={<Link className="btn" to={hooksPath(team)}>Connections</Link>}>
          With a connection its repositories are listed here, and a webhook is set up by one press.
        </EmptyState>
      </>
    );
  }
  return (
    <>
      <GitHubHead team={team} title="Repositories" meta={data ? `${plural(data.total, "repository", "repositories")} of ${connection.name}${data.cut ? ", the first of more" : ""}` : connection.name} />
      <div className="hooks-bar">
        {connections.length > 1 && <Select compact aria-label="Connection" className="w-44" value={connection.id} options={connections.map(({ id, name }) => ({ value: id, label: name }))} onValue={(id) => setSearch({ connection: id, page: undefined })} />}
        <Input ref={field} compact type="search" aria-label="Find a repository" placeholder="Find a repository" defaultValue={search.q ?? ""} onChange={(event) => setSearch({ q: event.target.value || undefined, page: undefined })} />
      </div>
      {problem && <ErrorState what={problem.title} why={problem.detail} requestId={problem.requestId} onRetry={() => void refetch()} />}
      {data?.items.length === 0 && !isPlaceholderData && (
        <EmptyState headline={search.q ? `None with “${search.q}”` : "GitHub shows this connection no repository"} small>
          {search.q ? "Owner and name are searched." : "A token needs the scope repo, an App has to be installed on the repositories."}
        </EmptyState>
      )}
      {!problem && data?.items.length !== 0 && <RepositoryTable key={connection.id} team={team} connection={connection.id} rows={data?.items} refused={refused} />}
      <div className="pane line">
        {search.page && <Button onClick={() => setSearch({ page: search.page === 2 ? undefined : (search.page ?? 2) - 1 }, { push: true })}>Previous</Button>}
        {Boolean(data?.next) && <Button onClick={() => setSearch({ page: data?.next }, { push: true })}>Next</Button>}
      </div>
    </>
  );
}
