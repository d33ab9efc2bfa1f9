import { useState } from "react";
import { asProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Dialog, DialogButtons } from "@/ui/Dialog";
import { Field, Textarea } from "@/ui/Field";
import { useTask } from "@/ui/frame/useTask";
import type { Server, ServerTool } from "./queries";
import { tryTool } from "./queries";

/** Calls a tool once, with arguments that are typed, and shows what it answers. */
export function TryDialog({ server, tool, onClose }: { server: Server; tool: ServerTool | null; onClose: () => void }) {
  const [text, setText] = useState("{}");
  const [wrong, setWrong] = useState("");
  const [answer, setAnswer] = useState<string | null>(null);
  const call = useTask({
    run: (args: Record<string, never>) => tryTool(server.id, tool?.name ?? "", args),
    onDone: ({ result }) => setAnswer(JSON.stringify(result, null, 2)),
  });
  const start = () => {
    setAnswer(null);
    try {
      const args: unknown = JSON.parse(text);
      if (typeof args !== "object" || args === null || Array.isArray(args)) throw new Error("an object is needed, such as {}");
      setWrong("");
      void call.start(args as Record<string, never>);
    } catch (thrown) {
      setWrong(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  return (
    <Dialog
      open={tool !== null}
      onClose={onClose}
      title={`Try ${tool?.name ?? ""}`}
      description={`It is really called at ${server.name}, in your name, and noted in the audit log.`}
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <Field label="Arguments" hint="JSON" error={wrong || (call.error ? asProblem(call.error).message : undefined)}>
        <Textarea mono rows={5} value={text} onChange={({ target }) => setText(target.value)} />
      </Field>
      {answer !== null && <CodeBlock label="Answer" code={answer} wrap />}
      <DialogButtons>
        <Button kind="primary" size="form" type="submit" busy={call.busy}>
          Call it
        </Button>
        <Button size="form" onClick={onClose}>
          Close
        </Button>
      </DialogButtons>
    </Dialog>
  );
}
