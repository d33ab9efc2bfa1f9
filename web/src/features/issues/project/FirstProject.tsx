import { FolderPlus } from "lucide-react";
import { useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { EmptyState } from "@/ui/states";

/** Before there is any project: what will be here, by hand or by the command line of Sentry. */
export function FirstProject({ team, refused, onNew }: { team: string; refused: string | false; onNew: () => void }) {
  const url = useSession().public_url;
  return (
    <EmptyState
      headline="No errors yet, because nothing reports here"
      command={`export SENTRY_URL=${url}\nexport SENTRY_ORG=${team}\nsentry-cli projects list`}
      filled={[url, team]}
      commandLabel="Command"
      actions={
        <Button kind="primary" icon={FolderPlus} refused={refused} onClick={onNew}>
          New project
        </Button>
      }
    >
      A project is a program that reports its errors. Create one, and its page gives you the two lines to paste. Any Sentry SDK works; the tools of Sentry find this server with the lines below.
    </EmptyState>
  );
}
