import { Link } from "@tanstack/react-router";
import { useContext } from "react";
import { FrameStateContext } from "@/ui/frame/context";

/** Where the open page is; the page says it. */
export function Crumbs() {
  const { page } = useContext(FrameStateContext);
  const crumbs = page.crumbs ?? [{ label: page.title }];
  return (
    <nav className="crumbs" aria-label="Where">
      <ol>
        {crumbs.map((crumb, at) => (
          <li key={at}>
            {at === crumbs.length - 1 ? <b aria-current="page">{crumb.label}</b> : crumb.to ? <Link to={crumb.to}>{crumb.label}</Link> : <span>{crumb.label}</span>}
          </li>
        ))}
      </ol>
    </nav>
  );
}
