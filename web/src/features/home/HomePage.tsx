import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Chip } from "@/ui/facts";
import { RelativeTime } from "@/ui/RelativeTime";
import { EmptyState } from "@/ui/states";
import { Beginnings } from "./Beginnings";
import { Happenings, Line } from "./Happenings";
import { HomeFrame } from "./HomeFrame";
import { timelinePath } from "./paths";
import { homeQuery, type Need } from "./queries";

/** What needs me, then what happened lately. */
export function HomePage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const { needs, recent, missing } = useSuspenseQuery(homeQuery(team)).data;
  const { user } = useSession();
  const mine = needs.filter((need) => need.mine);
  const others = needs.filter((need) => !need.mine);
  const untouched = needs.length === 0 && recent.length === 0 && missing.length === 0;
  return (
    <HomeFrame team={team} title="Home" missing={missing} meta={needs.length === 0 ? "nothing waits" : `${plural(needs.length, "thing")} to look at${mine.length > 0 ? `, ${mine.length} of them yours` : ""}`}>
      {untouched ? (
        <Beginnings team={team} />
      ) : (
        <>
          {mine.length > 0 && <Needs title={`Needs you, ${user.name}`} needs={mine} />}
          {others.length > 0 && <Needs title="Needs somebody" needs={others} />}
          {needs.length === 0 && (
            <EmptyState small headline="Nothing needs you">
              Failing jobs, approvals that wait, new errors, alerts that fire and rollouts that stand are listed here as they come.
            </EmptyState>
          )}
          <div className="section-head pt-6 px-(--gutter)">
            <h2>Lately</h2>
            <Link className="link" to={timelinePath(team)}>
              The whole timeline
            </Link>
          </div>
          {recent.length > 0 ? <Happenings events={recent} label="Lately" /> : <p className="muted px-(--gutter) py-3">Nothing in the last 24 hours.</p>}
        </>
      )}
    </HomeFrame>
  );
}

function Needs({ title, needs }: { title: string; needs: Need[] }) {
  return (
    <section aria-label={title}>
      <div className="section-head pt-4 px-(--gutter)">
        <h2>{title}</h2>
        <Chip>{needs.length}</Chip>
      </div>
      <ul className="rows">
        {needs.map((need) => (
          <Line key={`${need.path} ${need.title}`} when={<RelativeTime at={need.since} />} kind={need.kind} tone={need.tone} title={need.title} path={need.path} detail={need.detail} />
        ))}
      </ul>
    </section>
  );
}
