import { useCallback, useState } from "react";

/**
 * How much of a long list stands on the page: a thousand rows take a second to draw and nobody reads them at once.
 * Put `end` on something behind the last row, with `limit` as its key: when it comes near, the list grows.
 */
export function useGrowing(step: number) {
  const [limit, setLimit] = useState(typeof IntersectionObserver === "undefined" ? Infinity : step);
  const end = useCallback(
    (node: Element | null) => {
      if (!node) return undefined;
      const near = { rootMargin: "800px", scrollMargin: "800px" };
      const observer = new IntersectionObserver((entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setLimit((before) => before + step);
      }, near);
      observer.observe(node);
      return () => observer.disconnect();
    },
    [step],
  );
  return { limit, end };
}
