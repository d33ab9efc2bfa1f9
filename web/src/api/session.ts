import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { api, data, setCsrfToken } from "./client";
import type { components } from "./schema.gen";

export type Me = components["schemas"]["Me"];
export type Role = components["schemas"]["Role"];

/** Who is signed in, their teams, and what this server can do. */
export const sessionQuery = queryOptions({
  queryKey: ["accounts", "me"],
  queryFn: async ({ signal }) => {
    const me = await data(api.GET("/api/v1/accounts/me", { signal }));
    setCsrfToken(me.csrf_token);
    return me;
  },
  staleTime: 60_000,
});

/** The session; only for pages inside the frame, which are reached only with one. */
export function useSession(): Me {
  return useSuspenseQuery(sessionQuery).data;
}

const order: Role[] = ["viewer", "pipeline-operator", "member", "owner"];

/** The role of this person in a team; administrators act as owners everywhere. */
export function roleIn(me: Me, team: string): Role | undefined {
  if (me.user.is_admin) return "owner";
  return me.teams.find((membership) => membership.name === team)?.role;
}

/** Whether the role is enough. */
export function may(me: Me, team: string, least: Role): boolean {
  const role = roleIn(me, team);
  return role !== undefined && order.indexOf(role) >= order.indexOf(least);
}

const needed: Record<Role, string> = {
  viewer: "A viewer",
  "pipeline-operator": "A pipeline operator",
  member: "A member",
  owner: "An owner",
};

/** False when allowed, else the sentence for a button: "A member of main may do this." */
export function refusal(me: Me, team: string, least: Role): string | false {
  return may(me, team, least) ? false : `${needed[least]} of ${team} may do this.`;
}
