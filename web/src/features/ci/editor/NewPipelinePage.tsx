import { useParams } from "@tanstack/react-router";
import { Field, Input } from "@/ui/Field";
import { usePage } from "@/ui/frame/hooks";
import { useUrlState } from "@/ui/useUrlState";
import { wallPath } from "../paths";
import { Editor } from "./Editor";
import { sample } from "./sample";
import { newPipelineSearch } from "./search";

/** A pipeline that does not exist yet, begun from one that works. */
export function NewPipelinePage() {
  const { team } = useParams({ strict: false }) as { team: string };
  const [{ name = "" }, setSearch] = useUrlState(newPipelineSearch);
  usePage({ title: "New pipeline", crumbs: [{ label: "Pipelines", to: wallPath(team) }, { label: "New" }] });
  const above = (
    <Field label="Name" hint="Letters, digits, dashes" className="name">
      <Input value={name} onChange={(event) => setSearch({ name: event.target.value || undefined })} autoComplete="off" autoCapitalize="none" spellCheck={false} autoFocus />
    </Field>
  );
  return <Editor title="New pipeline" team={team} name={name} start={sample} above={above} meta={`in ${team}; begins with one that works`} />;
}
