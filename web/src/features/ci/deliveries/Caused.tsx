import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Button } from "@/ui/Button";
import { addressesPath, deliveriesPath, hooksPath } from "../paths";
import type { Delivery } from "../queries";
import { type Effect, folded } from "./effects";

type Props = { one: Pick<Delivery, "caused">; team: string };

/** What a delivery caused, as links: the first few, and how many more there are. */
export function Caused({ one, team, most, onMore }: Props & { most: number; onMore: () => void }) {
  const { shown, more } = folded(one.caused, most);
  if (shown.length === 0) return <span className="muted">nothing</span>;
  return (
    <span className="caused">
      {shown.map((effect) => (
        <EffectLink key={`${effect.kind}${effect.id}`} effect={effect} team={team} />
      ))}
      {more > 0 && (
        <Button size="small" kind="quiet" onClick={onMore}>
          {`${more} more`}
        </Button>
      )}
    </span>
  );
}

/** The same where there is room: all of it is one press away. */
export function AllCaused(props: Props) {
  const [all, setAll] = useState(false);
  return <Caused {...props} most={all ? Infinity : 10} onMore={() => setAll(true)} />;
}

function EffectLink({ effect: { kind, id, title, url }, team }: { effect: Effect; team: string }) {
  if (url) return <Link className="link" to={url}>{title}</Link>;
  if (kind === "connection") return <Link className="link" to={hooksPath(team)}>{title}</Link>;
  if (kind === "hook") return <Link className="link" to={addressesPath(team)}>{title}</Link>;
  if (kind === "repository") return <Link className="link" to={deliveriesPath(team)} search={{ repository: id } as never}>{title}</Link>;
  return <span>{title}</span>;
}
