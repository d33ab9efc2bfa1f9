import { Download } from "lucide-react";
import { useState } from "react";
import { asProblem } from "@/api/problem";
import { bytes } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Copyable } from "@/ui/CopyButton";
import { Facts } from "@/ui/facts";
import { useTask } from "@/ui/frame/useTask";
import { Notice } from "@/ui/states";
import type { BundleStatus } from "../queries";
import { QrCode } from "./QrCode";

// A digest is made of the whole file in memory: beyond this the command line does better.
const largest = 512 << 20;

type Made = { size: number; sha256: string };

/** The way to nodes that no network reaches: a file, its size and its digest. */
export function Export({ bundle, file }: { bundle: BundleStatus; file: string }) {
  const [made, setMade] = useState<Made>();
  const make = useTask({ run: () => fetched(file, `${bundle.id}.epb`), onDone: setMade });
  const name = `${bundle.id}.epb`;
  const about = bundle.size + bundle.delta_size;
  return (
    <section aria-label="Without a network">
      <h2>To nodes without a network</h2>
      <p className="muted mb-2">The file carries today&apos;s signatures, so a node trusts it without asking here. Its packages take {bytes(about)}; indexes and signatures come on top.</p>
      <CodeBlock label="Export command" code={`signalbox bundle export ${bundle.id} -o ${name}\nsha256sum ${name}\nsudo signalbox-agent apply ${name}`} filled={[bundle.id]} />
      <p className="line flex-wrap pt-2">
        {about > largest ? (
          <a className="btn" href={file} download={name}>
            Download
          </a>
        ) : (
          <Button icon={Download} busy={make.busy} onClick={() => void make.start()}>
            Export here
          </Button>
        )}
        <span className="meta">{about > largest ? "too large for a browser to take the digest of: the command does" : "saves the file and shows its size and digest"}</span>
      </p>
      {make.error !== null && <Notice kind="bad">{asProblem(make.error).message}</Notice>}
      {made && (
        <div className="edge-export" role="status">
          <QrCode text={made.sha256} label={`SHA-256 ${made.sha256} as a QR code`} />
          <Facts
            items={[
              ["File", name],
              ["Size", `${bytes(made.size)} (${made.size} bytes)`],
              ["SHA-256", <Copyable key="d" text={made.sha256} />],
              ["To check", <code key="c">sha256sum {name}</code>],
            ]}
          />
        </div>
      )}
    </section>
  );
}

/** Fetches a file, gives it to the person, and says what it is. The bytes that are measured are the ones that are saved. */
async function fetched(address: string, name: string): Promise<Made> {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The server did not give the file (${answer.status}).`);
  const data = await answer.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([data], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return { size: data.byteLength, sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}
