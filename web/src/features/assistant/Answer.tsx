import { Link } from "@tanstack/react-router";
import { parts, type Piece } from "./answer";

/** An answer's text, with links into this server opened in place. */
export function Answer({ text, base }: { text: string; base: string }) {
  return (
    <div className="assistant-answer">
      {parts(text).map((part, at) => {
        if (part.kind === "text") {
          return (
            <p key={at}>
              <Line pieces={part.pieces} base={base} />
            </p>
          );
        }
        const items = part.items.map((item, n) => (
          <li key={n}>
            <Line pieces={item} base={base} />
          </li>
        ));
        return part.kind === "list" ? <ul key={at}>{items}</ul> : <ul key={at} className="quoted" aria-label="Quoted">{items}</ul>;
      })}
    </div>
  );
}

function Line({ pieces, base }: { pieces: Piece[]; base: string }) {
  return pieces.map((piece, at) => {
    if (piece.kind === "strong") return <strong key={at}>{piece.text}</strong>;
    if (piece.kind === "code") return <code key={at}>{piece.text}</code>;
    if (piece.kind !== "link") return <span key={at}>{piece.text}</span>;
    const own = base && piece.url.startsWith(`${base}/`) ? piece.url.slice(base.length) : piece.url;
    return own.startsWith("/") ? (
      <Link key={at} className="link" to={own}>
        {piece.text}
      </Link>
    ) : (
      <a key={at} className="link" href={own} target="_blank" rel="noreferrer">
        {piece.text}
      </a>
    );
  });
}
