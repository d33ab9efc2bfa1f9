import type { LucideIcon } from "lucide-react";

export type IconType = LucideIcon;

type Props = { of: LucideIcon; size?: "s" | "l"; label?: string };

/** One icon of the set at 16 px (14 small, 20 large), stroke 1.5. Decorative unless labelled. */
export function Icon({ of: Glyph, size, label }: Props) {
  return (
    <Glyph
      className={size ? `i ${size}` : "i"}
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
      strokeWidth={1.5}
    />
  );
}
