import { Copy, Download, FileJson, FileSpreadsheet, FileText, Link2 } from "lucide-react";
import { api, data } from "@/api/client";
import { refusal, useSession } from "@/api/session";
import { plural } from "@/format/bytes";
import { Button } from "@/ui/Button";
import { copyText } from "@/ui/clipboard";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "@/ui/Menu";
import { linkPath } from "../paths";
import type { Line } from "../queries";
import { asJSON, plain } from "./fields";
import { hasPipe } from "./terms";
import type { Explore } from "./useExplore";

const formats = [
  { format: "ndjson", label: "JSON lines", icon: FileJson },
  { format: "csv", label: "CSV", icon: FileSpreadsheet },
  { format: "txt", label: "Text", icon: FileText },
] as const;

/** The whole range as a file, or the lines shown as text. */
export function ExportMenu({ explore, lines }: { explore: Explore; lines: Line[] }) {
  const toast = useToast();
  const { asked, oldest } = explore;
  const { team, query, columns } = explore;
  const refused = refusal(useSession(), team, "member");
  const shorten = useTask({
    run: async () => {
      const { id } = await data(api.POST("/api/v1/logs/links", { body: { team, query, from: asked.from, to: asked.to, columns } }));
      return copyText(new URL(linkPath(team, id), location.href).href);
    },
    failed: "There is no short link.",
    onDone: (ok) => toast({ text: ok ? "The short link is copied, with these very times" : "The browser refused to copy", kind: ok ? undefined : "bad" }),
  });
  const save = (format: string) => {
    const link = document.createElement("a");
    link.href = `/api/v1/logs/export?${new URLSearchParams({ ...asked, order: oldest ? "oldest" : "newest", format })}`;
    link.download = "";
    link.click();
  };
  const copy = (text: string) => void copyText(text).then((ok) => toast({ text: ok ? `${plural(lines.length, "line")} copied` : "The browser refused to copy", kind: ok ? undefined : "bad" }));
  const ordered = /\|\s*(stats|top|sort|order|dedup|uniq|pattern)/i.test(asked.query) && hasPipe(asked.query) && "An export takes conditions, fields and limit.";
  return (
    <Menu align="end" label="Export" trigger={<Button kind="quiet" icon={Download} aria-label="Export"><span className="desk">Export</span></Button>}>
      <MenuLabel>All lines of the range</MenuLabel>
      {formats.map(({ format, label, icon }) => (
        <MenuItem key={format} icon={icon} refused={ordered} onSelect={() => save(format)}>
          {label}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem icon={Link2} refused={refused} onSelect={() => void shorten.start()}>
        Copy a short link to these very times
      </MenuItem>
      <MenuSeparator />
      <MenuLabel>The {plural(lines.length, "line")} shown</MenuLabel>
      <MenuItem icon={Copy} refused={lines.length === 0 && "No line is shown."} onSelect={() => copy(lines.map(plain).join("\n"))}>
        Copy as text
      </MenuItem>
      <MenuItem icon={Copy} refused={lines.length === 0 && "No line is shown."} onSelect={() => copy(lines.map(asJSON).join("\n"))}>
        Copy as JSON lines
      </MenuItem>
    </Menu>
  );
}

/** The address of what is seen, with instants instead of "the last hour": it shows the same tomorrow. */
export function CopyLink({ explore }: { explore: Explore }) {
  const toast = useToast();
  const copy = () => {
    const url = new URL(location.href);
    url.searchParams.set("from", explore.asked.from);
    url.searchParams.set("to", explore.asked.to);
    url.searchParams.delete("live");
    void copyText(url.href).then((ok) => toast({ text: ok ? "The link is copied, with these very times" : "The browser refused to copy", kind: ok ? undefined : "bad" }));
  };
  return (
    <Button icon={Link2} onClick={copy} aria-label="Copy link">
      <span className="desk">Copy link</span>
    </Button>
  );
}
