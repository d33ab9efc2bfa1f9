import { Link, type LinkComponentProps } from "@tanstack/react-router";
import type { Address } from "./address";

type Props = Omit<LinkComponentProps<"a">, "to" | "search" | "params"> & { at: Address };

/** A link to a page of pipelines, with the instance vars its address may carry. */
export function AddressLink({ at, ...rest }: Props) {
  return <Link {...rest} to={at.to} search={at.search as never} />;
}
