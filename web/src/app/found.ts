import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { useEffect, useState } from "react";
import { api, data } from "@/api/client";
import type { Action } from "@/ui/frame/context";
import { placeOf } from "@/ui/thread/place";
import { useTeam } from "./team";

/** How long typing has to rest before the server is asked, in milliseconds. */
const rest = 120;

/** What the server finds by name in the team: builds, errors, nodes, whatever is called so. */
export function useFound(typed: string): { found: Action[]; asking: boolean } {
  const team = useTeam();
  const navigate = useNavigate();
  const text = useRested(typed.trim());
  const wanted = Boolean(team) && text.length >= 2;
  const { data: answer, isFetching } = useQuery({
    queryKey: ["accounts", "find", team, text],
    queryFn: ({ signal }) => data(api.GET("/api/v1/accounts/teams/{team}/search", { params: { path: { team: team as string }, query: { q: text } }, signal })),
    enabled: wanted,
    placeholderData: keepPreviousData,
    staleTime: 5000,
  });
  const hits = wanted ? (answer?.items ?? []) : [];
  const found = hits.map(({ capability, kind, title, detail, path }) => ({
    id: `found.${capability}.${kind}.${path}.${title}`,
    label: title,
    also: detail,
    group: kind,
    icon: Search,
    // The manual is a page of its own, outside of this one.
    run: () => (kind === "manual" ? window.location.assign(path) : void navigate(placeOf(path) as never)),
  }));
  return { found, asking: isFetching || text !== typed.trim() };
}

function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), rest);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}
