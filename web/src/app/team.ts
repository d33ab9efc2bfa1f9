import { useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { type Me, useSession } from "@/api/session";
import { readPreference, writePreference } from "./preferences";

/** The team to open when the address names none: the last one used, if it is still there. */
export function homeTeam(me: Me): string | undefined {
  const last = readPreference("team");
  const names = me.teams.map((membership) => membership.name);
  return last && names.includes(last) ? last : names[0];
}

/** The team in the address, or the last one. */
export function useTeam(): string | undefined {
  const me = useSession();
  const { team } = useParams({ strict: false }) as { team?: string };
  useEffect(() => {
    if (team && readPreference("team") !== team) writePreference("team", team);
  }, [team]);
  return team ?? homeTeam(me);
}
