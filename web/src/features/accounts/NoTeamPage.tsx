import { Link } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { usePage } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { EmptyState } from "@/ui/states";

/** Home of somebody who is in no team yet. */
export function NoTeamPage() {
  const { user } = useSession();
  usePage({ title: "Home" });
  return (
    <>
      <PageHeader title="Home" meta={`signed in as ${user.name}`} />
      <EmptyState headline="You are in no team yet" waiting={user.is_admin ? undefined : <b>Waiting to be added to a team</b>}>
        {user.is_admin ? (
          <>
            Everything belongs to a team. <Link to="/admin/teams" className="link">Create the first one</Link>.
          </>
        ) : (
          <>Everything belongs to a team. An owner of a team adds you by your name, {user.name}; this page turns by itself.</>
        )}
      </EmptyState>
    </>
  );
}
