import { CodeBlock } from "@/ui/CodeBlock";
import { useSession } from "@/api/session";

/** What the page shows or does, as a command to copy. */
export function FromShell({ command }: { command: (url: string) => string }) {
  const { public_url: url } = useSession();
  return (
    <section className="edge-shell" aria-label="From a shell">
      <h2 className="micro">The same from a shell</h2>
      <CodeBlock label="The same from a shell" code={command(url)} filled={[url]} wrap />
    </section>
  );
}
