import { Link } from "@tanstack/react-router";
import { Pin } from "lucide-react";
import { classes } from "@/ui/classes";
import { Icon } from "@/ui/Icon";
import { RunStrip } from "@/ui/RunStrip";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { statusWord } from "@/ui/status";
import { instanceWords, pipelineAddress, pipelineTitle } from "../address";
import { AddressLink } from "../AddressLink";
import { wallPath } from "../paths";
import type { Pipeline } from "../queries";
import { bars, pipelineStatus } from "../state";
import { latestLine, note } from "./note";

type Props = { pipeline: Pipeline; pinned: boolean; onPin: () => void; current: boolean; now: number };

/** One pipeline on the wall: state, name, its last 20 builds, the newest of them, what it built. */
export function Cell({ pipeline, pinned, onPin, current, now }: Props) {
  const status = pipelineStatus(pipeline);
  const said = note(pipeline);
  const title = pipelineTitle(pipeline);
  const vars = instanceWords(pipeline.instance_vars);
  return (
    <li className={classes("pipe", current && "is-current")} data-status={status}>
      <span className="line first">
        <StatusGlyph status={status} label={statusWord(status)} />
        <AddressLink className="name clip" at={pipelineAddress(pipeline)} title={title}>
          {vars || pipeline.name}
        </AddressLink>
        <button type="button" className="pin" aria-pressed={pinned} aria-label={pinned ? `Unpin ${title}` : `Pin ${title} to the front`} onClick={onPin}>
          <Icon of={Pin} size="s" />
        </button>
        <RunStrip bars={bars(pipeline.last_builds, now)} label={`${title}, last builds`} />
      </span>
      <span className="line meta">
        <span className="clip">
          {vars && (
            <>
              <Link className="group-link" to={wallPath(pipeline.team)} search={{ group: pipeline.name } as never} title={`All instances of ${pipeline.name}`}>
                {pipeline.name}
              </Link>
              {" · "}
            </>
          )}
          {latestLine(pipeline, now)}
        </span>
        {said.text && (
          <span className="note num" title={said.title}>
            {said.code ? <code>{said.text}</code> : said.text}
          </span>
        )}
      </span>
    </li>
  );
}
