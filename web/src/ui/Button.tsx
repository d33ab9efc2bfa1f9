import type { ComponentProps } from "react";
import { classes } from "./classes";
import { Icon, type IconType } from "./Icon";
import { Tooltip } from "./Tooltip";

export type ButtonKind = "primary" | "second" | "quiet" | "danger";

type Props = ComponentProps<"button"> & {
  kind?: ButtonKind;
  size?: "small" | "form";
  icon?: IconType;
  busy?: boolean;
  /** Why it cannot be pressed and who could. The button stays in the tab order and says so. */
  refused?: string | false;
  tip?: string;
};

/** The one button. One primary per header. `refused` keeps it visible to those who may not press it. */
export function Button({ kind = "second", size, icon, busy, refused, tip, className, children, onClick, ...rest }: Props) {
  const blocked = Boolean(refused) || busy;
  const button = (
    <button
      type="button"
      {...rest}
      className={classes("btn", kind !== "second" && kind, size, className)}
      aria-disabled={blocked || undefined}
      aria-busy={busy || undefined}
      onClick={blocked ? (event) => event.preventDefault() : onClick}
    >
      {icon && <Icon of={icon} />}
      {children}
    </button>
  );
  const says = tip && refused ? `${tip}. ${refused}` : refused || tip;
  return says ? <Tooltip text={says}>{button}</Tooltip> : button;
}

type IconButtonProps = Omit<Props, "icon" | "children" | "tip"> & { icon: IconType; label: string };

/** A button that is only an icon; the label is its name and its tip. */
export function IconButton({ label, kind = "quiet", className, ...rest }: IconButtonProps) {
  return <Button {...rest} kind={kind} className={classes("icon", className)} aria-label={label} tip={label} />;
}
