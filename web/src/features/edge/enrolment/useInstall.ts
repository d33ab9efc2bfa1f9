import { useQuery } from "@tanstack/react-query";
import { agentsQuery } from "../queries";
import { installCommand, installLine } from "./commands";

/** How the agent comes onto a machine: in one line where this server hands it out. */
export function useInstall(team: string): (url: string, token: string) => string {
  const programs = useQuery(agentsQuery(team)).data?.items;
  return programs?.length === 0 ? installCommand : installLine;
}
