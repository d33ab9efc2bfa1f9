import { useEffect } from "react";
import { readPreference, usePreference, writePreference } from "./preferences";

export type Theme = "system" | "light" | "dark";

/** Sets the theme on the page. public/theme.js does the same before the first paint. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function readTheme(): Theme {
  return asTheme(readPreference("theme"));
}

function asTheme(value: string | null): Theme {
  return value === "light" || value === "dark" ? value : "system";
}

/** The three-way switch: what is chosen, and the way to choose. Other tabs follow. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = asTheme(usePreference("theme"));
  useEffect(() => applyTheme(theme), [theme]);
  return [theme, (next) => writePreference("theme", next)];
}
