import { useState } from "react";
import { useSession } from "@/api/session";
import { CodeBlock } from "@/ui/CodeBlock";
import { Segmented } from "@/ui/Segmented";
import type { Trust } from "../queries";
import { type Rotated, rotated, rotation } from "./state";

const words: Record<Rotated, string> = {
  release: "Its holder left, or the file may have been read: the new key signs the list of bundles anew, and what is published stays good.",
  root: "One of the keys that name all others. Do it while enough of the old ones can still sign.",
  timestamp: "The key of this server. Make another with the button above; the new root names it.",
};

/** How one key takes the place of another: commands, since no key that matters is here. */
export function Rotation({ trust }: { trust: Trust }) {
  const [role, setRole] = useState<Rotated>("release");
  const { public_url: url } = useSession();
  return (
    <section className="edge-part" aria-label="Replace a key">
      <div className="section-head mb-2 flex-wrap">
        <h2>Replace a key</h2>
        <Segmented label="Which key" value={role} options={rotated.map((value) => ({ value, label: value }))} onChange={setRole} />
      </div>
      <p className="muted mb-2">{words[role]} Run this where the keys are; below you see nodes follow.</p>
      <CodeBlock label="Commands to replace a key" code={rotation(role, trust, url)} filled={[url]} />
    </section>
  );
}
