import { type CSSProperties, type RefObject, useEffect, useState } from "react";
import { Search, SearchX } from "lucide-react";
import { Button } from "@/ui/Button";
import { copyText } from "@/ui/clipboard";
import { sought, wholeWords } from "./terms";
import type { Explore } from "./useExplore";

const longest = 200;

type Marked = { text: string; words: string; x: number; y: number };

/** What is marked, with its first and last word made whole: an index of words does not find parts of them. */
function wordsOf(range: Range, text: string): string {
  const node = range.startContainer;
  if (node !== range.endContainer || node.nodeType !== Node.TEXT_NODE) return text;
  return wholeWords(node.textContent ?? "", range.startOffset, range.endOffset) || text;
}

/** Searches for what is marked in the rows. */
export function SelectionMenu({ explore, host }: { explore: Explore; host: RefObject<HTMLDivElement | null> }) {
  const [marked, setMarked] = useState<Marked>();
  useEffect(() => {
    const look = () => {
      const selection = getSelection();
      const text = selection?.toString().trim() ?? "";
      const inside = selection?.anchorNode && host.current?.contains(selection.anchorNode);
      if (!selection || !inside || text.length < 2 || text.length > longest || text.includes("\n")) {
        setMarked(undefined);
        return;
      }
      const range = selection.getRangeAt(0);
      const box = range.getBoundingClientRect();
      setMarked({ text, words: wordsOf(range, text), x: box.left, y: box.bottom });
    };
    document.addEventListener("selectionchange", look);
    return () => document.removeEventListener("selectionchange", look);
  }, [host]);
  if (!marked) return null;
  const use = (condition: string) => {
    getSelection()?.removeAllRanges();
    explore.narrow(condition);
  };
  const words = sought(marked.words);
  const style = { "--x": `${marked.x}px`, "--y": `${marked.y + 4}px` } as CSSProperties;
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- a press here must not take the selection away
    <div className="float logs-marked" style={style} onMouseDown={(event) => event.preventDefault()}>
      <Button kind="quiet" size="small" icon={Search} onClick={() => use(words)}>
        Search for this
      </Button>
      <Button kind="quiet" size="small" icon={SearchX} onClick={() => use(`-${words}`)}>
        Hide it
      </Button>
      <Button kind="quiet" size="small" onClick={() => void copyText(marked.text)}>
        Copy
      </Button>
    </div>
  );
}
