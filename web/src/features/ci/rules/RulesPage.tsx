import { useSuspenseQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { useActions } from "@/ui/frame/hooks";
import { EmptyState } from "@/ui/states";
import { useUrlState } from "@/ui/useUrlState";
import { channelsQuery } from "../channels/queries";
import { GitHubHead } from "../hooks/GitHubHead";
import { channelsPath } from "../paths";
import { type Rule, rulesQuery } from "./queries";
import { RuleForm } from "./RuleForm";
import { RuleHistory } from "./RuleHistory";
import { RuleList } from "./RuleList";
import { rulesSearch } from "./search";

/** Which of GitHub's events are told to whom, as sentences. */
export function RulesPage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const rules = useSuspenseQuery(rulesQuery(team)).data.items;
  const channels = useSuspenseQuery(channelsQuery(team)).data.items;
  const [search, setSearch] = useUrlState(rulesSearch);
  const [editing, setEditing] = useState<{ rule?: Rule } | null>(null);
  const role = refusal(useSession(), team, "member");
  const noChannel = channels.length === 0 && "There is no channel to tell. Make one under Settings, Notifications.";
  const refused = role || noChannel;
  useActions([{ id: "rule.new", label: "New rule", group: "This page", icon: Plus, refused, run: () => setEditing({}) }]);
  return (
    <>
      <GitHubHead
        team={team}
        title="Rules"
        meta={rules.length === 0 ? "nobody is told of GitHub's events" : plural(rules.length, "rule")}
        actions={
          <Button kind="primary" icon={Plus} refused={refused} onClick={() => setEditing({})}>
            New rule
          </Button>
        }
      />
      {rules.length === 0 ? (
        <EmptyState
          headline="Tell people what happens at GitHub"
          actions={
            noChannel ? (
              <Link className="btn" to={channelsPath(team)}>
                Make a channel first
              </Link>
            ) : (
              <Button icon={Plus} refused={role} onClick={() => setEditing({})}>
                New rule
              </Button>
            )
          }
        >
          A rule reads like this: <span className="strong">When a review is requested in acme/* → #web</span>. Messages are signed, tried again when they fail, and listed with what became of them.
        </EmptyState>
      ) : (
        <RuleList team={team} rules={rules} channels={channels} refused={role} onEdit={(rule) => setEditing({ rule })} onHistory={({ id }) => setSearch({ rule: id, before: undefined }, { push: true })} />
      )}
      <RuleForm editing={editing} team={team} channels={channels} onClose={() => setEditing(null)} />
      <RuleHistory team={team} rule={rules.find(({ id }) => id === search.rule)} before={search.before} onBefore={(before) => setSearch({ before }, { push: true })} onClose={() => setSearch({ rule: undefined, before: undefined })} />
    </>
  );
}
