import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import type { Address } from "./address";

/** Goes to a page of pipelines. */
export function useGo(): (address: Address) => void {
  const navigate = useNavigate();
  return useCallback((address) => void navigate({ to: address.to, search: (address.search ?? {}) as never }), [navigate]);
}
