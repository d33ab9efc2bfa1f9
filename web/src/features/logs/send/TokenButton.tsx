import { Check, KeyRound } from "lucide-react";
import { Button } from "@/ui/Button";
import type { MadeToken } from "./useToken";

/** Makes a token and fills it in. It is shown until the page is left, and never again. */
export function TokenButton({ token }: { token: MadeToken }) {
  return (
    <Button kind={token.made ? "second" : "primary"} icon={token.made ? Check : KeyRound} busy={token.busy} refused={token.made ? "The token is filled in; it is not shown again once you leave." : token.refused} onClick={token.make}>
      {token.made ? "Token filled in" : "Make a token"}
    </Button>
  );
}
