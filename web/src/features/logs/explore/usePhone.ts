import { useSyncExternalStore } from "react";

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Phones wrap lines. */
export const usePhone = () => useMedia("(max-width: 639px)");

/** No room for a column of fields beside the lines. */
export const useNarrow = () => useMedia("(max-width: 959px)");
