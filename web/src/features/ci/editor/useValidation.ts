import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, data } from "@/api/client";
import type { Diagnostic } from "../queries";

const pause = 300;

/** Asks the server what is wrong with the text, once nobody has typed for a moment. */
export function useValidation(team: string, text: string): { diagnostics: Diagnostic[]; checking: boolean; error: unknown } {
  const [asked, setAsked] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), pause);
    return () => clearTimeout(timer);
  }, [text]);
  const { data: answer, isFetching, error } = useQuery({
    queryKey: ["ci", "validate", team, asked],
    queryFn: ({ signal }) => data(api.POST("/api/v1/ci/validate", { body: { team, yaml: asked }, signal })),
    enabled: asked.trim() !== "",
    placeholderData: keepPreviousData,
    gcTime: 0,
    retry: false,
  });
  return { diagnostics: asked.trim() === "" ? none : (answer?.diagnostics ?? none), checking: isFetching || asked !== text, error };
}

const none: Diagnostic[] = [];
