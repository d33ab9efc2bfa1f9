import { cloneElement, type ComponentType, createContext, lazy, type KeyboardEvent, type ReactElement, type ReactNode, Suspense, useContext, useState } from "react";
import type { IconType } from "./Icon";

// The library of menus weighs as much as a page: it comes with the first one that is opened, or pointed at.
const load = () => import("./MenuLayer");
const MenuLayer = lazy(async () => ({ default: (await load()).MenuLayer }));

type Trigger = { onClick?: () => void; onKeyDown?: (event: KeyboardEvent) => void; onPointerEnter?: () => void; onFocus?: () => void; "aria-haspopup"?: "menu"; "aria-expanded"?: boolean };
export type MenuProps = { trigger: ReactElement; align?: "start" | "end"; label?: string; children: ReactNode };

/** A menu that hangs on a button. */
export function Menu(props: MenuProps) {
  const [wanted, setWanted] = useState(false);
  const open = () => setWanted(true);
  const begin = () => void load();
  const closed = cloneElement(props.trigger as ReactElement<Trigger>, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onClick: open,
    onKeyDown: (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      open();
    },
    onPointerEnter: begin,
    onFocus: begin,
  });
  if (!wanted) return closed;
  return (
    <Suspense fallback={closed}>
      <MenuLayer {...props} />
    </Suspense>
  );
}

export type ItemProps = {
  onSelect: () => void;
  icon?: IconType;
  keys?: string;
  danger?: boolean;
  /** Why it cannot be chosen, shown in the item. */
  refused?: string | false;
  children: ReactNode;
};

export type ChoiceProps<T extends string> = {
  label: string;
  value: T;
  options: { value: T; label: string; icon?: IconType }[];
  onChange: (value: T) => void;
};

type Parts = { Item: ComponentType<ItemProps>; Choice: ComponentType<ChoiceProps<string>>; Label: ComponentType<{ children: ReactNode }>; Separator: ComponentType };

/** What a menu is made of; given by the menu that came. */
export const PartsContext = createContext<Parts | null>(null);

/** Something to choose. */
export function MenuItem(props: ItemProps) {
  const parts = useContext(PartsContext);
  return parts && <parts.Item {...props} />;
}

/** One of several, inside a menu. */
export function MenuChoice<T extends string>({ onChange, ...props }: ChoiceProps<T>) {
  const parts = useContext(PartsContext);
  return parts && <parts.Choice {...props} onChange={(value) => onChange(value as T)} />;
}

export function MenuLabel({ children }: { children: ReactNode }) {
  const parts = useContext(PartsContext);
  return parts && <parts.Label>{children}</parts.Label>;
}

export function MenuSeparator() {
  const parts = useContext(PartsContext);
  return parts && <parts.Separator />;
}
