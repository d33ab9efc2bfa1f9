import { Check } from "lucide-react";
import { DropdownMenu as Radix } from "radix-ui";
import { type ReactElement, type ReactNode, useState } from "react";
import { classes } from "./classes";
import { Icon, type IconType } from "./Icon";
import { Kbd } from "./Kbd";
import { layerHost } from "./layerHost";

type MenuProps = { trigger: ReactElement; align?: "start" | "end"; label?: string; children: ReactNode };

/** A menu that hangs on a button. Not modal: it may not lock the page, which needs inline styles our policy forbids. */
export function Menu({ trigger, align = "start", label, children }: MenuProps) {
  const [open, setOpen] = useState(false);
  return (
    <Radix.Root modal={false} open={open} onOpenChange={setOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal container={open ? layerHost() : undefined}>
        <Radix.Content className="float menu" align={align} sideOffset={4} collisionPadding={8} loop aria-label={label}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

type ItemProps = {
  onSelect: () => void;
  icon?: IconType;
  keys?: string;
  danger?: boolean;
  /** Why it cannot be chosen, shown in the item. */
  refused?: string | false;
  children: ReactNode;
};

export function MenuItem({ onSelect, icon, keys, danger, refused, children }: ItemProps) {
  return (
    <Radix.Item className={classes(danger && "danger")} disabled={Boolean(refused)} onSelect={onSelect}>
      {icon && <Icon of={icon} />}
      <span>{children}</span>
      {refused && <span className="end meta">{refused}</span>}
      {keys && <Kbd keys={keys} />}
    </Radix.Item>
  );
}

type ChoiceProps<T extends string> = {
  label: string;
  value: T;
  options: { value: T; label: string; icon?: IconType }[];
  onChange: (value: T) => void;
};

/** One of several, inside a menu. */
export function MenuChoice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <Radix.RadioGroup value={value} onValueChange={(next) => onChange(next as T)}>
      <Radix.Label className="group-label micro">{label}</Radix.Label>
      {options.map((option) => (
        <Radix.RadioItem key={option.value} value={option.value} onSelect={(event) => event.preventDefault()}>
          {option.icon && <Icon of={option.icon} />}
          <span>{option.label}</span>
          <Radix.ItemIndicator className="end">
            <Icon of={Check} size="s" />
          </Radix.ItemIndicator>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="group-label meta">{children}</Radix.Label>;
}

export const MenuSeparator = Radix.Separator;
