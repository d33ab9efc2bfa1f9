import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { useTask } from "@/ui/frame/useTask";

/** What stands where the token will be. */
export const noToken = "YOUR_TOKEN";

/** A token that may only send logs, made for the snippets of this page. */
export function useToken(team: string) {
  const [made, setMade] = useState<string>();
  const refused = refusal(useSession(), team, "member");
  const client = useQueryClient();
  const task = useTask({
    run: () => data(api.POST("/api/v1/accounts/tokens", { body: { name: `Sends logs of ${team}`, team, scopes: ["logs:write"] } })),
    failed: "No token was made.",
    onDone: ({ token }) => {
      setMade(token);
      void client.invalidateQueries({ queryKey: ["accounts", "tokens"] });
    },
  });
  return { made: Boolean(made), secret: made ?? noToken, refused, busy: task.busy, make: () => void task.start() };
}

export type MadeToken = ReturnType<typeof useToken>;
