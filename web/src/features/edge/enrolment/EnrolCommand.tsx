import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "@/api/client";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { useTask } from "@/ui/frame/useTask";
import { tokensQuery } from "../queries";
import { noToken } from "./commands";
import { useInstall } from "./useInstall";

/** The command that makes a machine a node; its token is made by pressing a button, and shown only here. */
export function EnrolCommand({ team, refused }: { team: string; refused: string | false }) {
  const { public_url: url } = useSession();
  const install = useInstall(team);
  const [secret, setSecret] = useState("");
  const client = useQueryClient();
  const make = useTask({
    run: () => data(api.POST("/api/v1/edge/tokens", { body: { team, name: "First nodes", max_uses: 10, hours: 24 } })),
    failed: "No token was made.",
    onDone: ({ token }) => {
      setSecret(token ?? "");
      void client.invalidateQueries({ queryKey: tokensQuery(team).queryKey });
    },
  });
  const token = secret || noToken;
  return (
    <div className="grid gap-3">
      <CodeBlock label="Enrol command" code={install(url, token)} filled={[url, token]} />
      <div className="line flex-wrap">
        <Button kind={secret ? "second" : "primary"} busy={make.busy} refused={refused || (secret !== "" && "It is in the command.")} onClick={() => void make.start()}>
          {secret ? "Token made" : "Make a token"}
        </Button>
        <span className="meta">{secret ? "good for ten nodes within 24 hours; it is not shown again" : "the token goes into the command"}</span>
      </div>
    </div>
  );
}
