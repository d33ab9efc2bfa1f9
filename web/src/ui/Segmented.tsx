import type { ReactNode } from "react";
import { Icon, type IconType } from "./Icon";

type Props<T extends string> = {
  label: string;
  value: T;
  options: { value: T; label: ReactNode; icon?: IconType }[];
  onChange: (value: T) => void;
};

/** A few ways to see the same thing, side by side. */
export function Segmented<T extends string>({ label, value, options, onChange }: Props<T>) {
  return (
    <div className="seg" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} onClick={() => onChange(option.value)}>
          {option.icon && <Icon of={option.icon} size="s" />}
          {option.label}
        </button>
      ))}
    </div>
  );
}
