import { Dialog } from "@/ui/Dialog";
import { Switch } from "@/ui/Field";
import { type Action, useFrame } from "@/ui/frame/context";
import { shownKeys } from "@/ui/frame/keyboard";
import { Kbd } from "@/ui/Kbd";
import { useLetters } from "./keys";
import { grouped } from "./match";

/** Every key that works on the open page, and the switch for single letters. */
export function KeyboardHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard" className="wide">
      {open && <Sheet />}
    </Dialog>
  );
}

function Sheet() {
  const frame = useFrame();
  const [letters, setLetters] = useLetters();
  const keyed = frame.actions().filter((action) => action.keys);
  const groups = grouped(keyed, "This page");
  return (
    <>
      <div className="grid gap-x-8 gap-y-4 phone:grid-cols-2">
        {groups.map(([group, actions]) => (
          <section key={group}>
            <h3 className="micro">{group}</h3>
            <ul>
              {unique(actions).map((action) => (
                <li key={action.id} className="flex items-center justify-between gap-3 h-7">
                  <span className="clip">{action.label}</span>
                  <Kbd keys={shownKeys(action.keys ?? "")} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
      <Switch on={letters} onChange={setLetters} label="Single letters are commands" />
      <p className="meta">Switch it off if you dictate or use a reader with letter keys. Keys with Ctrl and Esc stay.</p>
    </>
  );
}

function unique(actions: Action[]): Action[] {
  return [...new Map(actions.map((action) => [action.keys, action])).values()];
}
