import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useSession } from "@/api/session";
import { classes } from "@/ui/classes";
import { Avatar } from "@/ui/facts";
import { type Piece, pieces } from "./mrkdwn";
import type { Post, Story } from "./queries";

/** The channel of the demo's own Slack, the newest message at its end. */
export function SlackRoom({ slack }: { slack: Story["slack"] }) {
  const end = useRef<HTMLDivElement>(null);
  const { length } = slack.messages;
  useEffect(() => {
    const box = end.current;
    if (box) box.scrollTop = box.scrollHeight;
  }, [length]);
  return (
    <section className="panel slack-room" aria-label={`#${slack.name} in the demo's Slack`}>
      <header>
        <h2>#{slack.name}</h2>
        <span className="meta push">a Slack of the demo's own</span>
      </header>
      {/* Scrolled by keys, too. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="slack-said" ref={end} tabIndex={0} role="log" aria-label={`Messages in #${slack.name}`}>
        {slack.messages.length === 0 && <p className="muted">Nobody has said anything yet.</p>}
        {slack.messages.map((post, at) => (
          <Said key={`${post.at} ${at}`} post={post} />
        ))}
      </div>
    </section>
  );
}

const clock = (at: string) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

function Said({ post }: { post: Post }) {
  return (
    <article className={classes("slack-post", post.thread && "reply")}>
      <Avatar name={post.from} />
      <div className="min-w-0">
        <p className="line">
          <span className="strong">{post.from}</span>
          <time className="meta" dateTime={post.at}>
            {clock(post.at)}
          </time>
        </p>
        <div className="slack-text">
          {pieces(post.text).map((piece, at) => (
            <Shown key={at} piece={piece} />
          ))}
        </div>
      </div>
    </article>
  );
}

function Shown({ piece }: { piece: Piece }) {
  const { public_url: home } = useSession();
  const inner = piece.kind === "strong" ? <span className="strong">{piece.text}</span> : piece.text;
  if (piece.url?.startsWith(`${home}/`)) {
    return (
      <Link className="link" to={piece.url.slice(home.length)}>
        {inner}
      </Link>
    );
  }
  if (piece.url?.startsWith("http")) {
    return (
      <a className="link" href={piece.url} rel="noreferrer">
        {inner}
      </a>
    );
  }
  return piece.kind === "code" ? <code>{piece.text}</code> : <>{inner}</>;
}
