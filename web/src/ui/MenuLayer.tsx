import { Check } from "lucide-react";
import { DropdownMenu as Radix } from "radix-ui";
import { useState } from "react";
import { classes } from "./classes";
import { Icon } from "./Icon";
import { Kbd } from "./Kbd";
import { layerHost } from "./layerHost";
import { type ChoiceProps, type ItemProps, type MenuProps, PartsContext } from "./Menu";

/** The menu itself, once somebody asks for it. Not modal: it may not lock the page, which needs inline styles our policy forbids. */
export function MenuLayer({ trigger, align = "start", label, children }: MenuProps) {
  const [open, setOpen] = useState(true);
  return (
    <PartsContext value={parts}>
      <Radix.Root modal={false} open={open} onOpenChange={setOpen}>
        <Radix.Trigger asChild>{trigger}</Radix.Trigger>
        <Radix.Portal container={open ? layerHost() : undefined}>
          <Radix.Content className="float menu" align={align} sideOffset={4} collisionPadding={8} loop aria-label={label}>
            {children}
          </Radix.Content>
        </Radix.Portal>
      </Radix.Root>
    </PartsContext>
  );
}

function Item({ onSelect, icon, keys, danger, refused, children }: ItemProps) {
  return (
    <Radix.Item className={classes(danger && "danger")} disabled={Boolean(refused)} onSelect={onSelect}>
      {icon && <Icon of={icon} />}
      <span>{children}</span>
      {refused && <span className="end meta">{refused}</span>}
      {keys && <Kbd keys={keys} />}
    </Radix.Item>
  );
}

function Choice({ label, value, options, onChange }: ChoiceProps<string>) {
  return (
    <Radix.RadioGroup value={value} onValueChange={onChange}>
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

const parts = {
  Item,
  Choice,
  Label: ({ children }: { children: React.ReactNode }) => <Radix.Label className="group-label meta">{children}</Radix.Label>,
  Separator: Radix.Separator,
};
