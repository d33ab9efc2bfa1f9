import { Bug, FileText, KeyRound, MapPin, Package, Server, Snowflake, UserPlus } from "lucide-react";
import { useQuery } from "@tanstack/react-query";
import { count } from "@/format/bytes";
import { ContextGroup, ContextItem, ContextList } from "@/ui/frame/ContextList";
import { rolloutLook } from "./looks";
import { bundlePath, bundlesPath, cvesPath, enrolmentPath, fleetPath, freezesPath, keysPath, policiesPath, rolloutPath, rolloutsPath, sitesPath } from "./paths";
import { bundlesQuery, type Counts, countsQuery, rolloutsQuery, sitesQuery } from "./queries";

const listed = 8;
const none: Pick<Counts, "states" | "agent_states" | "offline"> = { states: {}, agent_states: {}, offline: 0 };
const shown = (n: number | undefined) => (n ? count(n) : undefined);

/** The list at the left of the pages of edge. */
export function EdgeContext({ team }: { team: string }) {
  const summary = useQuery(countsQuery(team)).data;
  const sites = useQuery(sitesQuery(team)).data?.items ?? [];
  const rollouts = useQuery(rolloutsQuery(team)).data?.items ?? [];
  const bundles = useQuery(bundlesQuery(team)).data?.items ?? [];
  const home = fleetPath(team);
  const { states, agent_states: agents, offline } = summary?.counts ?? none;
  return (
    <ContextList>
      <ContextGroup title="Fleet">
        <ContextItem to={home} search={{}} icon={Server} label="All nodes" end={shown(summary?.total)} />
        <ContextItem to={home} search={{ q: "agent_state:failed" }} status="failed" label="Needs hands" end={shown(agents.failed)} />
        <ContextItem to={home} search={{ q: "agent_state:quarantined" }} status="quarantined" label="Quarantined" end={shown(agents.quarantined)} />
        <ContextItem to={home} search={{ q: "offline" }} status="offline" label="Offline" end={shown(offline)} />
        <ContextItem to={enrolmentPath(team)} icon={UserPlus} label="Enrolment" end={states.pending ? `${count(states.pending)} waiting` : undefined} />
        <ContextItem to={cvesPath(team)} icon={Bug} label="Search a CVE" />
      </ContextGroup>
      <ContextGroup title="Rollouts" to={rolloutsPath(team)}>
        {rollouts.slice(0, 5).map((one) => (
          <ContextItem key={one.id} to={rolloutPath(team, one.id)} status={rolloutLook(one.state).status} label={`#${one.number} ${one.bundle}`} />
        ))}
        <ContextItem to={policiesPath(team)} icon={FileText} label="Policies" deep />
        <ContextItem to={freezesPath(team)} icon={Snowflake} label="Freezes" />
      </ContextGroup>
      {sites.length > 0 && (
        <ContextGroup title="Sites" to={sitesPath(team)}>
          {sites.slice(0, listed).map(({ name, nodes, offline: away }) => (
            <ContextItem key={name} to={home} search={{ q: `site:${name}` }} icon={MapPin} label={name} end={away > 0 && away === nodes ? `${count(away)} offline` : count(nodes)} />
          ))}
        </ContextGroup>
      )}
      <ContextGroup title="Bundles" to={bundlesPath(team)}>
        {bundles.slice(0, 4).map(({ id, channel }) => (
          <ContextItem key={id} to={bundlePath(team, id)} icon={Package} label={id} end={channel} />
        ))}
        <ContextItem to={keysPath(team)} icon={KeyRound} label="Keys and trust" />
      </ContextGroup>
    </ContextList>
  );
}
