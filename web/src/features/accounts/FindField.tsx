import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useActions } from "@/ui/frame/hooks";
import { Icon } from "@/ui/Icon";

type Props = { /** What is searched, as a command. */ label: string; placeholder: string; value: string; onFind: (text: string) => void; busy?: boolean };

/** Words to look for: what is typed is sent a moment later, and kept in the address by the page. / comes here. */
export function FindField({ label, placeholder, value, onFind, busy }: Props) {
  const [text, setText] = useState(value);
  const [sent, setSent] = useState(value);
  const [known, setKnown] = useState(value);
  // The address may change from elsewhere (back, "Show everything"); what was sent from here comes back later than it was typed.
  if (known !== value) {
    setKnown(value);
    if (value !== sent) setText(value);
  }
  const field = useRef<HTMLInputElement>(null);
  const find = useRef(onFind);
  useEffect(() => {
    find.current = onFind;
  });
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => {
      setSent(text);
      find.current(text);
    }, 250);
    return () => clearTimeout(timer);
  }, [text, value]);
  useActions([{ id: "list.find", label, group: "This page", keys: "/", icon: Search, run: () => field.current?.focus() }]);
  return (
    <label className="input compact" aria-busy={busy || undefined}>
      <Icon of={Search} size="s" />
      <span className="sr">Search</span>
      <input ref={field} type="search" placeholder={placeholder} value={text} onChange={(event) => setText(event.target.value)} />
    </label>
  );
}
