import { ArrowDown, Copy, Link, X } from "lucide-react";
import { count, plural } from "@/format/bytes";
import { plain, settled } from "@/ui/ansi";
import { Button, IconButton } from "@/ui/Button";
import { copyText } from "@/ui/clipboard";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import { fetchLog } from "../queries";
import type { Range } from "./ranges";

type Props = { range: Range | null; onClear: () => void; id: number; fresh: number; onEnd: () => void };

const most = 5000;

/** What floats above the end of the pane: the linked lines, and how much has come since following stopped. */
export function LogFoot({ range, onClear, id, fresh, onEnd }: Props) {
  const toast = useToast();
  const copy = useTask({
    run: async ({ first, last }: Range) => {
      const page = await fetchLog(id, first, Math.min(most, last - first + 1));
      return copyText(page.lines.map((line) => plain(settled(line.text))).join("\n"));
    },
    onDone: (done, { first, last }) => toast({ text: done ? `${plural(Math.min(most, last - first + 1), "line")} copied` : "The browser refused to copy." }),
    failed: "The lines were not copied.",
  });
  if (!range && fresh === 0) return null;
  const link = async () => toast({ text: (await copyText(window.location.href)) ? "Link copied" : "The browser refused to copy." });
  return (
    <div className="log-foot">
      {fresh > 0 && (
        <Button size="small" className="on-log" icon={ArrowDown} onClick={onEnd}>
          {plural(fresh, "new line")}
        </Button>
      )}
      {range && (
        <span className="range">
          {range.first === range.last ? `Line ${count(range.first)}` : `Lines ${count(range.first)} to ${count(range.last)}`}
          <Button size="small" className="on-log" icon={Copy} busy={copy.busy} onClick={() => void copy.start(range)}>
            Copy
          </Button>
          <IconButton size="small" className="on-log" icon={Link} label="Copy the link" onClick={() => void link()} />
          <IconButton size="small" className="on-log" icon={X} label="Clear" onClick={onClear} />
        </span>
      )}
    </div>
  );
}
